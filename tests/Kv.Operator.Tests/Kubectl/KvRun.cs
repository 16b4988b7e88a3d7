using System.Text;
using Kv.Kubectl;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>One run of `kv` in this process, with all that came of it.</summary>
internal sealed record KvRun(int ExitCode, string Output, string Error, byte[] Bytes)
{
    /// <summary>A directory without a local run in it or above it.</summary>
    private static readonly string Elsewhere = Path.GetTempPath();

    public static Task<KvRun> OfAsync(params string[] arguments) => WithAsync(arguments);

    public static async Task<KvRun> WithAsync(string[] arguments, byte[]? input = null, string? directory = null, bool isInteractive = false)
    {
        using var output = new MemoryStream();
        await using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(new MemoryStream(input ?? []), output, error, isInteractive);
        var code = await new CommandLine(terminal, new Surroundings(directory ?? Elsewhere, IsPlugin: false)).RunAsync(arguments, TestContext.Current.CancellationToken);
        return new KvRun(code, Encoding.UTF8.GetString(output.ToArray()), error.ToString(), output.ToArray());
    }
}
