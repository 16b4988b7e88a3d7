namespace Kv.Operator.NodeAdmin;

/// <summary>No answer came from a node; whether it did what was asked is not known.</summary>
internal sealed class NodeUnreachableException(string address, string text, Exception? inner) : Exception($"{address} {text}", inner);
