namespace Kv.Cluster.Peers;

/// <summary>
/// A moment in the life of a node that takes data: the number of its start, and within that the number of the last time it closed a partition to what was on
/// its way (<see cref="Reaping.Fences"/>). The default is of no node.
/// </summary>
public readonly record struct Fence(uint Starts, ulong Generation);
