namespace Kv.Chaos.Reports;

/// <summary>What the nodes showed at one moment.</summary>
/// <param name="At">Seconds of the run.</param>
/// <param name="Hints">Objects held for other nodes, all nodes together.</param>
/// <param name="Transfers">Transfers that wait, run or failed.</param>
/// <param name="Answering">Nodes that were asked and answered.</param>
/// <param name="ResidentBytes">Of each place for a node; 0 where none runs.</param>
internal sealed record RingSample(double At, long Hints, long Transfers, int Answering, IReadOnlyList<long> ResidentBytes);
