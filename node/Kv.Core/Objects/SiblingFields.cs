namespace Kv.Core.Objects;

/// <summary>Which optional fields a stored sibling has: see <see cref="ObjectCodec"/>. Persisted: append only.</summary>
[Flags]
internal enum SiblingFields : byte
{
    None = 0,
    Tombstone = 1,
    DotOfClock = 2,
    DotOfOther = 4,
    ContentType = 8,
    Charset = 16,
    ContentEncoding = 32,
    Lists = 64,
}
