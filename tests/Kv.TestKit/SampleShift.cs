using System.Globalization;

namespace Kv.TestKit;

/// <summary>
/// Where a test takes a sample of many cases, each n-th of them, this says with which it begins: the variable KV_SAMPLE_SHIFT. n runs with different
/// ones take all cases. 0 where it is not set.
/// </summary>
public static class SampleShift
{
    private const string Variable = "KV_SAMPLE_SHIFT";

    public static int Value { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : 0;

    /// <summary>How to take the same sample again; to be written to a test's output, which is shown where it fails.</summary>
    public static string Told { get; } = string.Create(CultureInfo.InvariantCulture, $"the sample is that of {Variable}={Value}");

    /// <summary>Whether the place is in this sample of each <paramref name="every"/>-th.</summary>
    public static bool Takes(int place, int every) => ((long)place + Value) % every == 0;
}
