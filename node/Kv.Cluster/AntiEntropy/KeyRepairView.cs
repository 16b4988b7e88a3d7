using Kv.Core.Objects;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// The last repair of a bucket's keys that this node was asked for, for people to see. <paramref name="From"/> and <paramref name="To"/> are the first and last key that are meant, empty for
/// no bound. <paramref name="Vnodes"/> of the ring's <paramref name="AllVnodes"/> have shown their keys; <paramref name="LastError"/> names those that did not, and is empty where all did
/// and no key is left. <paramref name="KeysNotRepaired"/> of the keys found were not shown by a replica that is up, or not taken by one, after some more attempts where it has ended.
/// </summary>
public sealed record KeyRepairView(
    BucketName Bucket,
    ReadOnlyMemory<byte> From,
    ReadOnlyMemory<byte> To,
    bool IsRunning,
    TimeSpan Took,
    int Vnodes,
    int AllVnodes,
    long KeysFound,
    long KeysRepaired,
    long KeysNotRepaired,
    string LastError);
