using System.Globalization;

namespace Kv.Chaos;

/// <summary>What to run, from `--name value` arguments.</summary>
internal sealed record ChaosOptions
{
    public const string Help = """
        kv-chaos: real nodes in network namespaces of their own, with faults drawn from a seed, under load; run by tests/chaos
          --minutes N       of faults; forming the ring before and the checks after take about a minute more (10)
          --seed N          of the schedule and the load; printed, so that a run can be repeated (drawn)
          --nodes N         members at first (5)
          --spare N         nodes that join and leave (2)
          --rate N          operations a second by all clients together (150)
          --only LIST       kinds of faults to draw from, by name (all)
          --report DIR      where summary, picture and logs go (.artifacts/chaos/SEED)
          --binaries DIR    where kv-node and kv are (bin)
        """;

    public double Minutes { get; init; } = 10;

    public int Seed { get; init; }

    public int Nodes { get; init; } = 5;

    public int Spare { get; init; } = 2;

    public int Rate { get; init; } = 150;

    public IReadOnlyList<string> Only { get; init; } = [];

    public required string Report { get; init; }

    public required string Binaries { get; init; }

    public string NodeBinary => Path.Combine(Binaries, "kv-node");

    public string KvBinary => Path.Combine(Binaries, "kv");

    /// <exception cref="ArgumentException">An argument is unknown or out of range; the message names it.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments, int drawnSeed)
    {
        var options = new ChaosOptions { Seed = drawnSeed, Report = "", Binaries = Path.GetFullPath("bin") };
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
            {
                throw new ArgumentException($"{arguments[i]} needs a value");
            }

            var value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--minutes" => options with { Minutes = Number(arguments[i], value, 0.2, 24 * 60) },
                "--seed" => options with { Seed = (int)Number(arguments[i], value, 0, int.MaxValue) },
                "--nodes" => options with { Nodes = (int)Number(arguments[i], value, 3, 12) },
                "--spare" => options with { Spare = (int)Number(arguments[i], value, 0, 8) },
                "--rate" => options with { Rate = (int)Number(arguments[i], value, 1, 100_000) },
                "--only" => options with { Only = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                "--binaries" => options with { Binaries = Path.GetFullPath(value) },
                _ => throw new ArgumentException($"{arguments[i]} is not an argument"),
            };
        }

        return options.Report.Length > 0 ? options : options with { Report = Path.GetFullPath(Path.Combine(".artifacts", "chaos", options.Seed.ToString(CultureInfo.InvariantCulture))) };
    }

    private static double Number(string name, string text, double least, double most) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ArgumentException(FormattableString.Invariant($"{name} takes a number from {least} to {most}, not `{text}`"));
}
