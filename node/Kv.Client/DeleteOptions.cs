using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>Options of a delete (Riak KV, `DELETE` query parameters).</summary>
public sealed record DeleteOptions : RequestOptions
{
    /// <summary>What the deleter has read; empty: the server reads it first.</summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    public QuorumValue Rw { get; init; } = QuorumValue.Default;

    public QuorumValue R { get; init; } = QuorumValue.Default;

    public QuorumValue Pr { get; init; } = QuorumValue.Default;

    public QuorumValue W { get; init; } = QuorumValue.Default;

    public QuorumValue Dw { get; init; } = QuorumValue.Default;

    public QuorumValue Pw { get; init; } = QuorumValue.Default;
}
