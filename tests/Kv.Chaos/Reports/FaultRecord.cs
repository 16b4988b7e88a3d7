namespace Kv.Chaos.Reports;

/// <summary>A fault as it was: when, what, and on which nodes (none: on all).</summary>
internal sealed record FaultRecord(string Kind, string What, IReadOnlyList<int> Slots, double From)
{
    /// <summary>Seconds of the run; not yet over while it is infinite.</summary>
    public double To { get; set; } = double.PositiveInfinity;
}
