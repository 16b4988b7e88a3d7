using System.Collections.Immutable;
using System.Globalization;

namespace Kv.Simulation;

/// <summary>Every seed that ever failed, from `failed-seeds.txt`: run again with each test run.</summary>
public static class FailedSeeds
{
    public static ImmutableArray<int> All { get; } = Read();

    private static ImmutableArray<int> Read()
    {
        using var text = new StreamReader(typeof(FailedSeeds).Assembly.GetManifestResourceStream("failed-seeds.txt")!);
        var lines = text.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Where(line => line[0] != '#').Select(line => int.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture))];
    }
}
