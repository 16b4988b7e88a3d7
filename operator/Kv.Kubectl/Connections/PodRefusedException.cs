namespace Kv.Kubectl.Connections;

/// <summary>A port-forward that led nowhere: its error came before any byte of the pod, so nothing listens there and nothing was done.</summary>
internal sealed class PodRefusedException(string message) : IOException(message);
