namespace Kv.Operator.Clusters;

/// <summary>
/// A wish that is not carried out, and why. One that <paramref name="Stops"/> also keeps the operator from changing the ring, since it
/// means that something is not as it seems; the rest of the work goes on beside the others.
/// </summary>
internal sealed record ClusterBlock(string Reason, string Message, bool Stops);
