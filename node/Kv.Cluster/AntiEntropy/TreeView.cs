using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>A vnode's hash trees for people to see. <paramref name="BuiltAt"/> is null where they never were; <paramref name="LastError"/> is empty where the last attempt did not fail.</summary>
public sealed record TreeView(PartitionId Partition, TreeState State, DateTimeOffset? BuiltAt, string LastError);
