using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Fuzz.Tests;

/// <summary>The program as it is built, with decoders that tell of their branches.</summary>
public sealed partial class ProgramTests
{
    [Fact]
    public async Task Run_TellsOfBranches_AndEndsWithTheCount()
    {
        var output = await RunAsync("context", "key", "--seconds", "1", "--seed", "1");
        Assert.EndsWith("2 passed, 0 failed\n", output, StringComparison.Ordinal);
        var pairs = Pairs().Matches(output).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(2, pairs.Count);
        Assert.All(pairs, count => Assert.InRange(count, 10, int.MaxValue));
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Kv.Fuzz.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }

    [GeneratedRegex("(\\d+) pairs of branches")]
    private static partial Regex Pairs();
}
