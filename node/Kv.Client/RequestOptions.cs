using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>What gets, puts and deletes have in common. What is left at its default takes the bucket's property.</summary>
public abstract record RequestOptions
{
    /// <summary>Null for <see cref="KvClientOptions.Timeout"/>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Distinct nodes among the replicas that count.</summary>
    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Default;

    /// <summary>Whether other nodes may stand in for those that are down.</summary>
    public bool SloppyQuorum { get; init; } = true;

    /// <summary>Fewer replicas than the bucket's n_val.</summary>
    public int? NVal { get; init; }
}
