namespace Kv.Chaos.Reports;

/// <summary>One promise, and what was found against it.</summary>
internal sealed record Verdict(string Promise, IReadOnlyList<string> Problems)
{
    public bool IsKept => Problems.Count == 0;
}
