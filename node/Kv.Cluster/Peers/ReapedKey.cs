using Kv.Core.Objects;

namespace Kv.Cluster.Peers;

/// <summary>A key whose tombstone is to be removed for good, and the hash of that tombstone's clock.</summary>
public readonly record struct ReapedKey(ObjectKey Key, ulong ClockHash);
