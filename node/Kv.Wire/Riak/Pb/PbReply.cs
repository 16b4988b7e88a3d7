using Google.Protobuf;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>The last frame of an answer: a code with its message, or with none.</summary>
internal readonly record struct PbReply(PbCode Code, IMessage? Message)
{
    /// <summary>Whether the connection ends after it: what follows cannot be trusted to begin where it should.</summary>
    public bool IsLast { get; init; }

    /// <summary>Whether TLS begins after it.</summary>
    public bool StartsTls { get; init; }

    public static PbReply Empty(PbCode code) => new(code, null);

    public static PbReply Error(string text) => new(PbCode.ErrorResp, new RpbErrorResp { Errmsg = ByteString.CopyFromUtf8(text), Errcode = 0 });
}
