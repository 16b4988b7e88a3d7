using System.Diagnostics;

namespace Kv.Chaos.Machines;

/// <summary>Programs of the system, run to their end.</summary>
internal static class Tool
{
    /// <summary>Throws with what the program said if it does not end with 0.</summary>
    public static async Task RunAsync(string program, IReadOnlyList<string> arguments, string input = "")
    {
        var (code, _, error) = await TryAsync(program, arguments, input, CancellationToken.None);
        if (code != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {code}: {error.Trim()}");
        }
    }

    /// <summary>Exit code, output and error output. Killed when cancelled.</summary>
    public static async Task<(int Code, string Output, string Error)> TryAsync(string program, IReadOnlyList<string> arguments, string input, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} cannot be started");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var error = process.StandardError.ReadToEndAsync(cancel);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
