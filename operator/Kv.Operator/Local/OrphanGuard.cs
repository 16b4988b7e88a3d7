using System.Diagnostics;

namespace Kv.Operator.Local;

/// <summary>
/// Sees to it that nodes do not outlive us, even if we are killed: a shell that waits for the end of a pipe whose other end only we hold, and
/// then ends whatever the pids file names. Needs nothing of the nodes, and works on every Unix.
/// </summary>
internal sealed class OrphanGuard : IDisposable
{
    private const string Script = "trap '' INT HUP; cat >/dev/null; [ -f \"$1\" ] || exit 0; while read -r name pid; do kill -TERM \"$pid\" 2>/dev/null; done <\"$1\"";
    private readonly Process process;

    public OrphanGuard(string pidsFile)
    {
        var start = Shells.Detached(Script, [pidsFile]);
        start.RedirectStandardInput = true;
        process = Process.Start(start) ?? throw new WorldException("no shell can be started");
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit(TimeSpan.FromSeconds(5));
        process.Dispose();
    }
}
