using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>Options of an update of a data type (Riak KV, `DtUpdateReq`).</summary>
public sealed record DataTypeUpdateOptions : RequestOptions
{
    /// <summary>
    /// A fetch's context: removals take away what it had seen. Empty: what the coordinating replica holds, and removing what is not there is <see cref="KvErrorCode.NotPresent"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    public QuorumValue W { get; init; } = QuorumValue.Default;

    /// <summary>Replicas that must have it on disk.</summary>
    public QuorumValue Dw { get; init; } = QuorumValue.Default;

    public QuorumValue Pw { get; init; } = QuorumValue.Default;

    /// <summary>Answer with the value and its context as they are afterwards.</summary>
    public bool ReturnBody { get; init; }
}
