namespace Kv.Operator;

/// <summary>The world (the API server, or this machine) would not do what was asked; the text says what and why.</summary>
internal sealed class WorldException(string message, Exception? inner = null) : Exception(message, inner);
