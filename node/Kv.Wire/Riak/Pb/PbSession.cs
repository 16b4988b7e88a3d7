using Google.Protobuf;

namespace Kv.Wire.Riak.Pb;

/// <summary>What one connection's requests share.</summary>
internal sealed class PbSession(PbOutput output)
{
    public PbOutput Output { get; } = output;

    /// <summary>Riak's default is four zeros.</summary>
    public ByteString ClientId { get; set; } = ByteString.CopyFrom(0, 0, 0, 0);
}
