using System.Globalization;

namespace Kv.Chaos.Machines;

/// <summary>
/// The wall clock of one node, by libfaketime, which reads its offset from a file again each second: Linux has no namespace for the wall clock. The
/// monotonic clock goes on as it is, as it does when a real clock is set.
/// </summary>
internal sealed class NodeClock(string file)
{
    private static readonly string? Library =
        new[] { "x86_64-linux-gnu", "aarch64-linux-gnu" }.Select(machine => $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1").FirstOrDefault(System.IO.File.Exists);

    public string File => file;

    /// <summary>Whether this machine has the library (Debian: libfaketime).</summary>
    public static bool IsAvailable => Library is not null;

    /// <summary>What the node's process needs in its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment => Library is null ? new Dictionary<string, string>() : new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Library,
        ["FAKETIME_TIMESTAMP_FILE"] = file,
        ["FAKETIME_CACHE_DURATION"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",

        // With its fix for older systems timed waits return at once, and threads spin.
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
    };

    /// <summary>Seconds off the true time, from now on.</summary>
    public void Set(int seconds)
    {
        System.IO.File.WriteAllText(file + ".new", string.Create(CultureInfo.InvariantCulture, $"{(seconds < 0 ? "" : "+")}{seconds}\n"));
        System.IO.File.Move(file + ".new", file, overwrite: true);
    }
}
