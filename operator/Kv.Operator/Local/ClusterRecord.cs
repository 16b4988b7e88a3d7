namespace Kv.Operator.Local;

/// <summary>What local mode keeps of a cluster in place of the API server: its id, and how many nodes each zone was given. Written before the first node starts.</summary>
internal sealed record ClusterRecord(string Uid, SortedDictionary<string, int> Replicas, string StorageSize, string? StorageClass)
{
    /// <summary>Nodes that left: what is in their directories is of no use.</summary>
    public SortedSet<string> Released { get; init; } = new(StringComparer.Ordinal);
}
