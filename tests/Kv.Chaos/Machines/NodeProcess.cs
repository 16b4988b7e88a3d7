using System.Diagnostics;
using System.Globalization;

namespace Kv.Chaos.Machines;

/// <summary>A node's process in its namespace, in a session of its own, with its output in a file.</summary>
internal sealed class NodeProcess
{
    private readonly Process process;

    private NodeProcess(Process process) => this.process = process;

    public int Pid => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>Bytes resident now; 0 once it has ended.</summary>
    public long ResidentBytes
    {
        get
        {
            try
            {
                var line = File.ReadLines($"/proc/{Pid}/status").FirstOrDefault(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
                return line is null ? 0 : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }

    /// <summary>Everything here replaces itself by the next (exec), so that the process we know is the node.</summary>
    public static NodeProcess Start(string networkNamespace, string logFile, IReadOnlyDictionary<string, string> environment, string binary, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("setsid", ["nsenter", $"--net=/run/netns/{networkNamespace}", "sh", "-c", "exec \"$@\" >>\"$KV_CHAOS_LOG\" 2>&1 </dev/null", "sh"]);
        if (environment.Count > 0)
        {
            // Given to the node alone: the programs before it should not run under it.
            start.ArgumentList.Add("env");
            foreach (var (name, value) in environment)
            {
                start.ArgumentList.Add($"{name}={value}");
            }
        }

        start.ArgumentList.Add(binary);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["KV_CHAOS_LOG"] = logFile;
        return new NodeProcess(Process.Start(start) ?? throw new InvalidOperationException("a node cannot be started"));
    }

    public void Send(int signal) => Signals.Send(Pid, signal);

    public Task EndedAsync(CancellationToken cancel) => process.WaitForExitAsync(cancel);
}
