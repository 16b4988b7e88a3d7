using System.Globalization;
using System.Text.RegularExpressions;

namespace Kv.Chaos.Rings;

/// <summary>What a node's `/metrics` says, in Prometheus' text: lines of `name{labels} value [time]`.</summary>
internal sealed partial class MetricsText(string text)
{
    /// <summary>Over all labels.</summary>
    public double Sum(string name) => Of(name).Sum(series => series.Value);

    /// <summary>The series of a name by one of its labels, of which no two have the same.</summary>
    public IReadOnlyDictionary<string, double> By(string name, string label) => Of(name)
        .SelectMany(series => Label().Matches(series.Labels).Where(one => one.Groups[1].Value == label).Select(one => (Key: one.Groups[2].Value, series.Value)))
        .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private IEnumerable<(string Labels, double Value)> Of(string name) => Series().Matches(text)
        .Where(series => series.Groups[1].Value == name)
        .Select(series => (series.Groups[2].Value, double.Parse(series.Groups[3].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex("^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)\\})? ([^ \n]+)", RegexOptions.Multiline)]
    private static partial Regex Series();

    [GeneratedRegex("([a-zA-Z_][a-zA-Z0-9_]*)=\"([^\"]*)\"")]
    private static partial Regex Label();
}
