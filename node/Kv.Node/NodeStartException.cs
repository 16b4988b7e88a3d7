namespace Kv.Node;

/// <summary>Why a node cannot start, in one line for people.</summary>
public sealed class NodeStartException(string message, Exception? inner = null) : Exception(message, inner);
