namespace Kv.Client;

/// <summary>An update that met its quorums.</summary>
/// <param name="Value">The value afterwards, where <see cref="DataTypeUpdateOptions.ReturnBody"/> asked for it.</param>
/// <param name="Context">Its context, of a set or map.</param>
/// <param name="Key">The key: the server's where none was given.</param>
public sealed record DataTypeUpdateResult(DataTypeValue? Value, ReadOnlyMemory<byte> Context, ReadOnlyMemory<byte> Key);
