using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.BucketTypes;

/// <summary>What was seen of a bucket type: its cluster, that cluster's ring, and the type as the nodes have it.</summary>
internal sealed record ObservedBucketType
{
    /// <summary>Null if there is none of that name.</summary>
    public Cluster? Cluster { get; init; }

    /// <summary>The object that asks for the type too and was there first; null if this one was. Where there is one, the nodes are not asked.</summary>
    public BucketTypeClaim? Holder { get; init; }

    public ObservedRing? Ring { get; init; }

    /// <summary>Admin ports of valid members that answer.</summary>
    public ImmutableArray<string> AdminAddresses { get; init; } = [];

    /// <summary>Null if the nodes do not have it.</summary>
    public ExistingBucketType? Existing { get; init; }
}

/// <summary>Where a type is in its life, as in Riak: created, ready once every member has it, active once clients may use it.</summary>
internal enum BucketTypeState
{
    Created,
    Ready,
    Active,
}

internal sealed record ExistingBucketType(BucketTypeState State, JsonObject Props, ImmutableArray<string> MissingOn);
