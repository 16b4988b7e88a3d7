using System.Diagnostics;

namespace Kv.EndToEnd;

/// <summary>One run of a program, waited for within a bound, with what it said.</summary>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments, int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>What was run and what came of it, for a test's failure.</summary>
    public override string ToString() => $"{Program} {string.Join(' ', Arguments)}\nended with {ExitCode}\n{Tail(Output)}\n{Tail(Error)}";

    /// <summary>Runs a program and waits for its end; past the timeout it is killed with its children, and the exit code is -1.</summary>
    public static async Task<Command> RunAsync(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, IReadOnlyDictionary<string, string>? environment = null,
        string? input = null, CancellationToken cancel = default)
    {
        using var process = new Process { StartInfo = Start(program, arguments, environment) };
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var error = process.StandardError.ReadToEndAsync(cancel);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return new(program, arguments, -1, await output, $"{await error}\nkilled after {timeout.TotalSeconds} s");
        }
        return new(program, arguments, process.ExitCode, await output, await error);
    }

    /// <summary>As <see cref="RunAsync"/>, but any exit code other than 0 is an exception that shows the whole.</summary>
    public static async Task<string> ReadAsync(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, IReadOnlyDictionary<string, string>? environment = null,
        string? input = null, CancellationToken cancel = default)
    {
        var command = await RunAsync(program, arguments, timeout, environment, input, cancel);
        return command.Succeeded ? command.Output : throw new InvalidOperationException(command.ToString());
    }

    private static ProcessStartInfo Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = SourceTree.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        return start;
    }

    private static string Tail(string text) => text.Length <= 8000 ? text : "…" + text[^8000..];
}
