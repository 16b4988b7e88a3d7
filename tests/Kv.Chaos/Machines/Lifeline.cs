using System.Diagnostics;

namespace Kv.Chaos.Machines;

/// <summary>
/// Sees to it that no node outlives us, even if we are killed: a shell that waits for the end of a pipe whose other end only we hold, and then kills
/// whatever lives in the nodes' namespaces.
/// </summary>
internal sealed class Lifeline : IDisposable
{
    private const string Script = "trap '' INT HUP TERM; cat >/dev/null; for name in $(ls /run/netns); do ip netns pids \"$name\" | xargs -r kill -9; done";
    private readonly Process process;

    public Lifeline() =>
        process = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Script]) { RedirectStandardInput = true }) ?? throw new InvalidOperationException("no shell can be started");

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit(TimeSpan.FromSeconds(10));
        process.Dispose();
    }
}
