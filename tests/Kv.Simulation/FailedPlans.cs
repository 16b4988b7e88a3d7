using System.Collections.Immutable;

namespace Kv.Simulation;

/// <summary>Runs that failed, made as short as they got and kept as text, from `Failed/*.plan`: run again with each test run, whatever their seeds draw by now.</summary>
public static class FailedPlans
{
    private const string Ending = ".plan";

    /// <summary>By name.</summary>
    public static ImmutableSortedDictionary<string, string> All { get; } = typeof(FailedPlans).Assembly.GetManifestResourceNames()
        .Where(name => name.EndsWith(Ending, StringComparison.Ordinal)).ToImmutableSortedDictionary(name => name[..^Ending.Length], Read, StringComparer.Ordinal);

    private static string Read(string name)
    {
        using var text = new StreamReader(typeof(FailedPlans).Assembly.GetManifestResourceStream(name)!);
        return text.ReadToEnd();
    }
}
