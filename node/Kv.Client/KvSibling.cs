namespace Kv.Client;

/// <summary>One of the values an object has: usually the only one.</summary>
/// <param name="Content">The value and what was said about it.</param>
/// <param name="VTag">Names the write that made it.</param>
/// <param name="LastModified">When, by the coordinator's clock.</param>
/// <param name="IsTombstone">A delete that was concurrent with the other siblings.</param>
public sealed record KvSibling(KvValue Content, string VTag, DateTimeOffset LastModified, bool IsTombstone);
