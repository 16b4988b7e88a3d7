using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Kv.Node.Tests;

/// <summary>A node as a process of its own, from the executable beside the tests. Killed when disposed of.</summary>
internal sealed partial class NodeProcess : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<string> serving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<string, string> endpoints = [];

    private NodeProcess(Process process) => this.process = process;

    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    public int ExitCode => process.ExitCode;

    public static NodeProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "kv-node.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var node = new NodeProcess(new Process { StartInfo = start });
        node.process.OutputDataReceived += (_, line) => node.Take(line.Data);
        node.process.ErrorDataReceived += (_, line) => node.Take(line.Data);
        node.process.Start();
        node.process.BeginOutputReadLine();
        node.process.BeginErrorReadLine();
        return node;
    }

    public string Endpoint(string protocol) => endpoints[protocol];

    /// <summary>Waits until it says where it serves.</summary>
    public async Task ServingAsync(CancellationToken cancel)
    {
        var ended = process.WaitForExitAsync(cancel);
        if (await Task.WhenAny(serving.Task, ended).WaitAsync(TimeSpan.FromSeconds(60), cancel) == ended)
        {
            throw new InvalidOperationException("the node ended: " + Output);
        }

        endpoints = Endpoints().Matches(await serving.Task).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    public async Task<int> TerminateAsync(CancellationToken cancel)
    {
        if (SendSignal(process.Id, 15) != 0)
        {
            throw new InvalidOperationException("cannot send a signal");
        }

        return await EndedAsync(cancel);
    }

    public async Task<int> EndedAsync(CancellationToken cancel)
    {
        await process.WaitForExitAsync(cancel).WaitAsync(TimeSpan.FromSeconds(60), cancel);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (output)
        {
            output.AppendLine(CultureInfo.InvariantCulture, $"{line}");
        }

        if (line.Contains(" serves: ", StringComparison.Ordinal))
        {
            serving.TrySetResult(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [GeneratedRegex("([a-z-]+) (127\\.0\\.0\\.1:[0-9]+)")]
    private static partial Regex Endpoints();
}
