using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>Options of a fetch of a data type (Riak KV, `DtFetchReq`).</summary>
public sealed record DataTypeFetchOptions : RequestOptions
{
    public QuorumValue R { get; init; } = QuorumValue.Default;

    public QuorumValue Pr { get; init; } = QuorumValue.Default;

    public bool? BasicQuorum { get; init; }

    public bool? NotFoundOk { get; init; }
}
