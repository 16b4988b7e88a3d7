using System.Globalization;
using System.Text;

namespace Kv.Chaos.Reports;

/// <summary>The run in words and figures, for a person.</summary>
internal static class Summary
{
    private const int ProblemsShown = 20;

    public static string Write(Timeline timeline, IReadOnlyList<Verdict> verdicts, IReadOnlyList<string> facts)
    {
        var text = new StringBuilder();
        text.AppendLine().AppendLine("faults");
        foreach (var fault in timeline.Faults.OrderBy(fault => fault.From))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {Clock(fault.From)} to {Clock(fault.To)}  {string.Join(' ', fault.Slots.Select(slot => $"n{slot}")),-15} {fault.What}");
        }

        WriteOperations(text, timeline);
        WriteErrors(text, timeline);
        WriteOutages(text, timeline);
        text.AppendLine().AppendLine("ring");
        foreach (var fact in facts)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {fact}");
        }

        text.AppendLine().AppendLine("promises");
        foreach (var verdict in verdicts)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {(verdict.IsKept ? "kept  " : "BROKEN")}  {verdict.Promise}");
            foreach (var problem in verdict.Problems.Take(ProblemsShown))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"            {problem}");
            }

            if (verdict.Problems.Count > ProblemsShown)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"            and {verdict.Problems.Count - ProblemsShown} more");
            }
        }

        return text.ToString();
    }

    public static string Clock(double seconds) => double.IsFinite(seconds)
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60,2}:{(int)seconds % 60:00}")
        : "     ";

    /// <summary>The longest time without a success, from the first operation to the end of the load.</summary>
    public static (double From, double Seconds) LongestOutage(Timeline timeline, Func<OperationRecord, bool> which)
    {
        var (last, longest, from) = (0.0, 0.0, 0.0);
        foreach (var at in timeline.Operations.Where(one => one.Error is null && which(one)).Select(one => one.Ended).Order().Append(timeline.LoadEnded))
        {
            if (last > 0 && at - last > longest)
            {
                (longest, from) = (at - last, last);
            }

            last = at;
        }

        return (from, longest);
    }

    private static void WriteOperations(StringBuilder text, Timeline timeline)
    {
        text.AppendLine().AppendLine("operations       succeeded   failed      p50      p95      p99      max");
        foreach (var group in timeline.Operations.GroupBy(one => (one.Door, one.Kind)).OrderBy(group => group.Key))
        {
            var good = group.Where(one => one.Error is null).Select(one => one.Seconds).Order().ToList();
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  {group.Key.Door,-7} {group.Key.Kind,-7} {good.Count,8} {group.Count() - good.Count,8} {Time(good, 0.5)} {Time(good, 0.95)} {Time(good, 0.99)} {Time(good, 1)}");
        }
    }

    private static void WriteErrors(StringBuilder text, Timeline timeline)
    {
        var errors = timeline.Operations.Where(one => one.Error is not null).ToList();
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"errors: {errors.Count} of {timeline.Operations.Count}, {errors.Count(one => one.IsRetryable)} of them retryable");
        foreach (var group in errors.GroupBy(one => (one.Door, one.Error, one.IsRetryable)).OrderByDescending(group => group.Count()))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {group.Count(),6}  {group.Key.Door,-7} {group.Key.Error}{(group.Key.IsRetryable ? "" : "  (not retryable)")}");
        }
    }

    private static void WriteOutages(StringBuilder text, Timeline timeline)
    {
        text.AppendLine().AppendLine("longest time without a success");
        foreach (var kind in new[] { "get", "put", "delete", "update" })
        {
            var (from, seconds) = LongestOutage(timeline, one => one.Kind == kind);
            text.AppendLine(CultureInfo.InvariantCulture, $"  {kind,-7} {seconds,5:0.0} s from {Clock(from)}");
        }
    }

    private static string Time(List<double> sorted, double fraction) => sorted.Count == 0
        ? "       -"
        : string.Create(CultureInfo.InvariantCulture, $"{1000 * sorted[Math.Min((int)(fraction * sorted.Count), sorted.Count - 1)],5:0} ms");
}
