using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>What one place of a preference list said to a read in the end. <see cref="Object"/> is there for found and tombstone, whole or a head.</summary>
public readonly record struct ReplicaAnswer(PreflistEntry Entry, GetReplyKind Kind, KvObject? Object)
{
    /// <summary>The answer of a replica that has an object, or with null has none.</summary>
    public static ReplicaAnswer Of(PreflistEntry entry, KvObject? held) =>
        new(entry, held is null ? GetReplyKind.NotFound : held.IsTombstone ? GetReplyKind.Tombstone : GetReplyKind.Found, held);
}
