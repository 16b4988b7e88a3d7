using System.Globalization;

namespace Kv.Chaos.Machines;

/// <summary>
/// A node's disk: a file system in memory of a fixed size, seen by our processes alone. It survives the death of a node as a disk does; a power cut, which
/// loses what was not synced, is the simulator's to try.
/// </summary>
internal sealed class Volume(string directory)
{
    /// <summary>Twice what a node wants free before it takes writes, so that there is room to live in.</summary>
    public const long Bytes = 1L << 30;

    private const long Page = 4096;
    private const int FillAttempts = 6;

    private string Ballast => Path.Combine(directory, "ballast");

    /// <summary>What the node is given: not the root, where the ballast is.</summary>
    public string Data => Path.Combine(directory, "data");

    /// <summary>Where the node keeps a directory for each partition.</summary>
    public string Stores => StoresOf(Data);

    /// <summary>As <see cref="Stores"/>, of any node's data.</summary>
    public static string StoresOf(string data) => Path.Combine(data, "stores");

    public static string LogOf(string data) => Path.Combine(data, "log");

    /// <summary>Where a store of theirs has its ordered records, if it has any.</summary>
    public static string OrderedOf(string store) => Path.Combine(store, "ordered");

    public string Log => LogOf(Data);

    public async Task CreateAsync()
    {
        Directory.CreateDirectory(directory);
        await Tool.RunAsync("mount", ["-t", "tmpfs", "-o", "size=" + Text(Bytes), "tmpfs", directory]);
    }

    /// <summary>As after a new disk in its place.</summary>
    public void Wipe()
    {
        if (Directory.Exists(Data))
        {
            Directory.Delete(Data, recursive: true);
        }
    }

    /// <summary>Takes all of the free space but so many bytes, in a few pieces, since the node may take some of it meanwhile.</summary>
    public async Task FillAsync(long leave)
    {
        var piece = Free - leave;
        for (var attempt = 0; attempt < FillAttempts && piece >= Page; attempt++)
        {
            var taken = File.Exists(Ballast) ? new FileInfo(Ballast).Length : 0;
            await Tool.TryAsync("fallocate", ["-o", Text(taken), "-l", Text(piece), Ballast], "", CancellationToken.None);
            piece = Math.Min(piece * 3 / 4, Free - leave) / Page * Page;
        }
    }

    public void Release() => File.Delete(Ballast);

    /// <summary>Bytes that the node's files take, as the disk counts them.</summary>
    public long Used => Directory.Exists(Data) ? Bytes - Free - (File.Exists(Ballast) ? new FileInfo(Ballast).Length : 0) : 0;

    private long Free => new DriveInfo(directory).AvailableFreeSpace;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
