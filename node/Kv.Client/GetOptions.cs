using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>Options of a get (Riak KV, `GET` query parameters).</summary>
public sealed record GetOptions : RequestOptions
{
    public QuorumValue R { get; init; } = QuorumValue.Default;

    public QuorumValue Pr { get; init; } = QuorumValue.Default;

    public bool? BasicQuorum { get; init; }

    public bool? NotFoundOk { get; init; }

    /// <summary>Metadata without values.</summary>
    public bool HeadOnly { get; init; }

    /// <summary>A context: answer <see cref="GetResult.Unchanged"/> if the object still has it. Empty for none.</summary>
    public ReadOnlyMemory<byte> IfModified { get; init; }
}
