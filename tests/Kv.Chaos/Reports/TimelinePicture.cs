using System.Globalization;
using System.Text;

namespace Kv.Chaos.Reports;

/// <summary>The run as a picture (SVG): faults by node, and below them, over the same time, throughput, failures, latency, hints and memory.</summary>
internal static class TimelinePicture
{
    private const double Width = 1500;
    private const double Left = 80;
    private const double Right = 30;
    private const double Lane = 26;
    private const double PanelHeight = 120;
    private const double Gap = 44;

    private static readonly (string Name, string Color, string[] Kinds)[] Groups =
    [
        ("killed", "#d62728", ["KillOne", "KillSeveral", "KillAll"]),
        ("paused", "#9467bd", ["Pause"]),
        ("cut off", "#1f77b4", ["Split", "Deaf", "Isolate"]),
        ("bad link", "#17becf", ["SlowLink", "LossyLink"]),
        ("disk", "#8c564b", ["NearlyFullDisk", "FullDisk", "LoseVolume", "BitRot"]),
        ("clock", "#e377c2", ["ClockJump"]),
        ("restart", "#7f7f7f", ["RollingRestart"]),
        ("join, leave", "#2ca02c", ["Scale"]),
    ];

    public static string Draw(Timeline timeline, string title, int slots, long memoryLimitBytes)
    {
        var seconds = Math.Max(1, timeline.Samples.Select(sample => sample.At).Concat(timeline.Operations.Select(one => one.Ended)).DefaultIfEmpty(1).Max());
        var lanes = slots * Lane;
        var panels = Enumerable.Range(0, 5).Select(i => 70 + lanes + Gap + (i * (PanelHeight + Gap))).ToArray();
        var height = panels[^1] + PanelHeight + 50;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"white\"/>\n");

        SvgPanel Panel(double top, double high) => new(svg, Left, top, Width - Left - Right, high, seconds);
        var faults = Panel(70, lanes);
        faults.Text(Left, 28, title, "start", 17, "#111", isBold: true);
        DrawFaults(faults, timeline, slots);
        var below = panels.Select(top => Panel(top, PanelHeight)).ToArray();
        string[] titles = ["operations that succeeded, a second", "operations that failed, a second", "latency of what succeeded", "objects held for other nodes, and transfers", "memory of the largest node"];
        foreach (var (panel, name) in below.Zip(titles))
        {
            panel.Frame(name);
            Shade(panel, timeline);
        }

        DrawThroughput(below[0], timeline, (int)seconds + 1);
        DrawFailures(below[1], timeline, (int)seconds + 1);
        DrawLatency(below[2], timeline);
        DrawHints(below[3], timeline);
        DrawMemory(below[4], timeline, memoryLimitBytes);
        DrawTime(below[^1], seconds);
        return svg.Append("</svg>\n").ToString();
    }

    private static string ColorOf(FaultRecord fault) => Groups.First(group => group.Kinds.Contains(fault.Kind)).Color;

    private static void DrawFaults(SvgPanel panel, Timeline timeline, int slots)
    {
        panel.Frame("faults");
        panel.Legend([.. Groups.Select(group => (group.Name, group.Color))]);
        for (var slot = 0; slot < slots; slot++)
        {
            var top = panel.Top + (slot * Lane);
            panel.Text(Left - 8, top + 17, string.Create(CultureInfo.InvariantCulture, $"n{slot}"), "end", 12, "#333");
            panel.Rect(Left, top, Width - Left - Right, 1, "#ddd", 1);
            DrawLane(panel, [.. timeline.Faults.Where(fault => fault.Slots.Contains(slot)).OrderBy(fault => fault.From)], top);
        }
    }

    /// <summary>Faults of one node that overlap share the height of its lane.</summary>
    private static void DrawLane(SvgPanel panel, List<FaultRecord> faults, double top)
    {
        var rows = new List<double>();
        var placed = new List<(FaultRecord Fault, int Row)>();
        foreach (var fault in faults)
        {
            var row = rows.FindIndex(end => end <= fault.From);
            if (row < 0)
            {
                row = rows.Count;
                rows.Add(0);
            }

            rows[row] = fault.To;
            placed.Add((fault, row));
        }

        var each = (Lane - 4) / Math.Max(rows.Count, 1);
        foreach (var (fault, row) in placed)
        {
            var x = panel.X(fault.From);
            var width = Math.Max(panel.X(fault.To) - x, 2);
            var y = top + 2 + (row * each);
            panel.Rect(x, y, width, each - 1, ColorOf(fault), 0.9, $"{fault.What}, {Summary.Clock(fault.From)} to {Summary.Clock(fault.To)}");
            if (each > 14 && width > (fault.What.Length * 5.6) + 6)
            {
                panel.Text(x + 4, y + (each / 2) + 4, fault.What, "start", 10, "white");
            }
        }
    }

    private static void Shade(SvgPanel panel, Timeline timeline)
    {
        foreach (var fault in timeline.Faults)
        {
            panel.Rect(panel.X(fault.From), panel.Top, panel.X(fault.To) - panel.X(fault.From), panel.Bottom - panel.Top, ColorOf(fault), 0.07);
        }
    }

    private static int[] PerSecond(Timeline timeline, int seconds, Func<OperationRecord, bool> which)
    {
        var counts = new int[seconds];
        foreach (var one in timeline.Operations.Where(which))
        {
            counts[Math.Min((int)one.Ended, seconds - 1)]++;
        }

        return counts;
    }

    private static void Stack(SvgPanel panel, params (string Name, string Color, int[] Counts)[] layers)
    {
        var seconds = layers[0].Counts.Length;
        var maximum = SvgPanel.Round(Enumerable.Range(0, seconds).Max(second => layers.Sum(layer => layer.Counts[second])));
        panel.LinearScale(maximum, value => value.ToString("0.#", CultureInfo.InvariantCulture));
        panel.Legend([.. layers.Select(layer => (layer.Name, layer.Color))]);
        for (var second = 0; second < seconds; second++)
        {
            var from = 0.0;
            foreach (var (_, color, counts) in layers)
            {
                var to = from + (counts[second] / maximum);
                panel.Bar(second, from, to, color);
                from = to;
            }
        }
    }

    private static void DrawThroughput(SvgPanel panel, Timeline timeline, int seconds) => Stack(
        panel,
        ("get", "#9ecae1", PerSecond(timeline, seconds, one => one.Error is null && one.Kind == "get")),
        ("put", "#3182bd", PerSecond(timeline, seconds, one => one.Error is null && one.Kind == "put")),
        ("delete", "#08306b", PerSecond(timeline, seconds, one => one.Error is null && one.Kind == "delete")),
        ("update of a data type", "#a1d99b", PerSecond(timeline, seconds, one => one.Error is null && one.Kind == "update")));

    private static void DrawFailures(SvgPanel panel, Timeline timeline, int seconds) => Stack(
        panel,
        ("retryable", "#fdae6b", PerSecond(timeline, seconds, one => one.Error is not null && one.IsRetryable)),
        ("not retryable", "#a50f15", PerSecond(timeline, seconds, one => one.Error is not null && !one.IsRetryable)));

    private static void DrawLatency(SvgPanel panel, Timeline timeline)
    {
        panel.LatencyScale();
        panel.Legend(("p50", "#74c476"), ("p99", "#006d2c"));
        var bySecond = timeline.Operations.Where(one => one.Error is null && one.Door != "kv").GroupBy(one => (int)one.Ended).OrderBy(group => group.Key)
            .Select(group => (At: group.Key + 0.5, Sorted: group.Select(one => one.Seconds).Order().ToList())).ToList();
        foreach (var (fraction, color) in new[] { (0.5, "#74c476"), (0.99, "#006d2c") })
        {
            panel.Curve(bySecond.Select(second => (second.At, SvgPanel.OfLatency(second.Sorted[Math.Min((int)(fraction * second.Sorted.Count), second.Sorted.Count - 1)]))), color);
        }
    }

    private static void DrawHints(SvgPanel panel, Timeline timeline)
    {
        var maximum = SvgPanel.Round(timeline.Samples.Select(sample => Math.Max(sample.Hints, sample.Transfers)).DefaultIfEmpty(1).Max());
        panel.LinearScale(maximum, value => value.ToString("0.#", CultureInfo.InvariantCulture));
        panel.Legend(("hints", "#e6550d"), ("transfers", "#756bb1"));
        panel.Curve(timeline.Samples.Select(sample => (sample.At, sample.Hints / maximum)), "#e6550d");
        panel.Curve(timeline.Samples.Select(sample => (sample.At, sample.Transfers / maximum)), "#756bb1");
    }

    private static void DrawMemory(SvgPanel panel, Timeline timeline, long limitBytes)
    {
        panel.LinearScale(limitBytes >> 20, value => string.Create(CultureInfo.InvariantCulture, $"{value:0} MiB"));
        panel.Curve(timeline.Samples.Select(sample => (sample.At, sample.ResidentBytes.Max() / (double)limitBytes)), "#636363");
    }

    private static void DrawTime(SvgPanel panel, double seconds)
    {
        var step = new[] { 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600 }.First(one => seconds / one <= 24 || one == 3600);
        for (var at = 0; at <= seconds; at += step)
        {
            panel.Text(panel.X(at), panel.Bottom + 18, Summary.Clock(at).Trim(), "middle", 11, "#666");
        }
    }
}
