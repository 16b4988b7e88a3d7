using System.Diagnostics;

namespace Kv.Operator.Local;

/// <summary>
/// Sees to it that nodes do not outlive us, even if we are killed: a shell that waits for the end of a pipe whose other end only we hold, and
/// then ends what the pids file names and runs on this data directory: a full disk may have left pids in the file that are somebody else's by now.
/// Needs nothing of the nodes, and works on every Unix that has ps or /proc.
/// </summary>
internal sealed class OrphanGuard : IDisposable
{
    private const string Script = """
        trap '' INT HUP
        cat >/dev/null
        [ -f "$1" ] || exit 0
        while read -r name pid; do
            args=$(ps -ww -o args= -p "$pid" 2>/dev/null || tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)
            case "$args " in *" $2/$name "*) kill -TERM "$pid" 2>/dev/null ;; esac
        done <"$1"
        """;

    private readonly Process process;

    public OrphanGuard(LocalFiles files)
    {
        var start = Shells.Detached(Script, [files.Pids, files.Root]);
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
