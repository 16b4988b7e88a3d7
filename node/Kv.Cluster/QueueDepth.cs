namespace Kv.Cluster;

/// <summary>How much one bounded queue of a node holds now, and the bound.</summary>
/// <param name="Queue">Its name in the metrics, no other's.</param>
/// <param name="Option">The bound's name in <see cref="ClusterOptions"/>.</param>
/// <param name="Depth">What the fullest holds, where each vnode has one.</param>
internal readonly record struct QueueDepth(string Queue, string Option, long Depth, long Bound);
