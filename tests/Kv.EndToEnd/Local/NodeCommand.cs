using System.Diagnostics;

namespace Kv.EndToEnd.Local;

/// <summary>What a running node was started with, so that it can be started the same way again (Linux: its arguments and its environment are in `/proc`).</summary>
internal sealed record NodeCommand(IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    public static NodeCommand Of(int pid) => new(
        Read($"/proc/{pid}/cmdline"),
        [.. Read($"/proc/{pid}/environ").Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2).Select(pair => KeyValuePair.Create(pair[0], pair[1]))]);

    /// <summary>Its output goes where the run had it go.</summary>
    public Process Start()
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$KV_NODE_LOG\" 2>&1 </dev/null", "sh", .. Arguments]);
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static string[] Read(string file) => File.ReadAllText(file).TrimEnd('\0').Split('\0');
}
