namespace Kv.Cluster.Vnodes;

/// <summary>What a reap expects a vnode to hold under a key: exactly the tombstone whose clock has this hash, or nothing where it is null.</summary>
internal readonly record struct HeldKey(ReadOnlyMemory<byte> Key, ulong? ClockHash);
