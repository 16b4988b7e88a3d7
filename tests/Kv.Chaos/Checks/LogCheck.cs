using System.Globalization;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>Errors in the nodes' logs that nothing explains.</summary>
internal static class LogCheck
{
    private const int Shown = 5;
    private const int Width = 300;
    private static readonly string[] Bad = [" fail: ", " crit: ", "Unhandled exception", "Process terminated", "Fatal error", "Out of memory"];

    public static IReadOnlyList<string> Run(IEnumerable<ChaosNode> nodes)
    {
        var found = new List<string>();
        foreach (var node in nodes.Where(node => File.Exists(node.LogFile)))
        {
            var lines = File.ReadLines(node.LogFile).Where(line => Bad.Any(word => line.Contains(word, StringComparison.Ordinal)) && !IsExplained(node, line)).ToList();
            found.AddRange(lines.Take(Shown).Select(line => $"{node.Name} logged: {(line.Length > Width ? line[..Width] + "…" : line)}"));
            if (lines.Count > Shown)
            {
                found.Add($"{node.Name} logged {lines.Count - Shown} more errors: {node.LogFile}");
            }
        }

        return found;
    }

    /// <summary>A node whose disk is full says so, and one whose files rotted. Its clock may be off just then; it is not while it says nothing else.</summary>
    private static bool IsExplained(ChaosNode node, string line) =>
        node.Rotten.Any(partition => line.Contains(string.Create(CultureInfo.InvariantCulture, $"partition {partition} is damaged and not served"), StringComparison.Ordinal))
        || node.RottenFiles.Any(file => line.Contains(file, StringComparison.Ordinal))
        || (DateTimeOffset.TryParse(line.Split(' ')[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
        && node.FullTimes.Any(time => time.From <= at && at <= time.To));
}
