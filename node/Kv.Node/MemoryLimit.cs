using System.Globalization;

namespace Kv.Node;

/// <summary>How much memory the process may use, and telling the collector so.</summary>
public static class MemoryLimit
{
    private const long Default = 2L << 30;

    // What .NET takes of a container's limit; the rest is for what is not on its heap: threads, sockets, compiled code.
    private const double HeapShare = 0.75;

    /// <summary>The setting, else the container's limit, else 2 GiB.</summary>
    public static long Bytes(NodeOptions options) => options.MemoryLimitBytes ?? ContainerLimit() ?? Default;

    /// <summary>Holds the heap to its share of the limit from here on.</summary>
    public static void Apply(long limitBytes)
    {
        AppContext.SetData("GCHeapHardLimit", (ulong)(limitBytes * HeapShare));
        GC.RefreshMemoryLimit();
    }

    private static long? ContainerLimit()
    {
        foreach (var file in new[] { "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes" })
        {
            if (File.Exists(file)
                && long.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var bytes) && bytes < 1L << 50)
            {
                return bytes;
            }
        }

        return null;
    }
}
