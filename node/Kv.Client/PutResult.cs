namespace Kv.Client;

/// <summary>A put that met its quorums.</summary>
/// <param name="Object">The object after the write, where its body or head was asked for.</param>
/// <param name="Key">The key: the server's where none was given.</param>
public sealed record PutResult(KvObjectView? Object, ReadOnlyMemory<byte> Key);
