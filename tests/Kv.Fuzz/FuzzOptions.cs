using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Kv.Fuzz;

/// <summary>What the command line asks for.</summary>
/// <param name="Targets">Names; none for all.</param>
/// <param name="Time">Of all of them together.</param>
/// <param name="Seed">Of the mutations.</param>
/// <param name="Input">A file with the one input that is tried; null for a run.</param>
/// <param name="Directory">Where failing inputs go.</param>
internal sealed record FuzzOptions(IReadOnlyList<string> Targets, TimeSpan Time, int Seed, string? Input, string Directory)
{
    private const string All = "all";

    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out FuzzOptions? options, [NotNullWhen(false)] out string? problem)
    {
        var targets = new List<string>();
        (options, problem) = (null, null);
        var read = new FuzzOptions(targets, TimeSpan.FromSeconds(60), Random.Shared.Next(), null, Path.Combine(".artifacts", "fuzz"));
        for (var at = 0; at < arguments.Length; at++)
        {
            if (!arguments[at].StartsWith("--", StringComparison.Ordinal))
            {
                targets.Add(arguments[at]);
                continue;
            }

            var value = at + 1 < arguments.Length ? arguments[at + 1] : "";
            if (read.With(arguments[at], value) is not { } next)
            {
                problem = $"{arguments[at]} {value}: is not understood";
                return false;
            }

            (read, at) = (next, at + 1);
        }

        problem = targets.Count == 0 ? "which target?" : null;
        options = problem is null ? read with { Targets = targets.Contains(All) ? [] : targets } : null;
        return problem is null;
    }

    private FuzzOptions? With(string name, string value) => name switch
    {
        "--seconds" when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) => this with { Time = TimeSpan.FromSeconds(seconds) },
        "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) => this with { Seed = seed },
        "--input" when value.Length > 0 => this with { Input = value },
        "--save" when value.Length > 0 => this with { Directory = value },
        _ => null,
    };
}
