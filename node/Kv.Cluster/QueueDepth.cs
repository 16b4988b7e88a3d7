namespace Kv.Cluster;

/// <summary>How much one bounded queue of a node holds now, and the bound, whose name in <see cref="ClusterOptions"/> it has.</summary>
internal readonly record struct QueueDepth(string Name, long Depth, long Bound);
