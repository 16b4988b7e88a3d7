namespace Kv.Core.Objects;

/// <summary>A Riak link from one object to another, with its tag.</summary>
public sealed record Link(string Bucket, string Key, string Tag);
