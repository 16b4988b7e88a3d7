using System.Diagnostics;

namespace Kv.Operator.Local;

/// <summary>
/// A node as a process: in a session of its own, so that Ctrl-C at the terminal does not reach it, and with its output in a file, so that it does not
/// need us to go on.
/// </summary>
internal sealed class NodeProcess : IDisposable
{
    private const long MaxLogBytes = 16 * 1024 * 1024;
    private readonly Process process;

    private NodeProcess(Process process) => this.process = process;

    public int Pid => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    public static NodeProcess Start(string binary, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> variables, string logFile)
    {
        if (File.Exists(logFile) && new FileInfo(logFile).Length > MaxLogBytes)
        {
            File.Move(logFile, logFile + ".1", overwrite: true);
        }

        // exec: the shell only opens the file, and the process that we know is the node itself.
        var start = Shells.Detached("exec \"$@\" >>\"$KV_NODE_LOG\" 2>&1 </dev/null", [binary, .. arguments]);
        start.Environment["KV_NODE_LOG"] = logFile;
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        return new NodeProcess(Process.Start(start) ?? throw new WorldException($"{binary} cannot be started"));
    }

    public void Terminate() => Shells.Signal(Pid, Shells.Term);

    public void Kill() => Shells.Signal(Pid, Shells.Kill);

    public void Dispose() => process.Dispose();
}
