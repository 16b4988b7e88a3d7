namespace Kv.Operator;

/// <summary>The world (the API server, or this machine) would not do what was asked; the text says what and why.</summary>
internal sealed class WorldException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What it was to be done in is being deleted, and everything with it: there is nothing to do any more, and nothing wrong.</summary>
    public bool IsEnding { get; init; }
}
