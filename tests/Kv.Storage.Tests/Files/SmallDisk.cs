using System.Diagnostics;

namespace Kv.Storage.Tests.Files;

/// <summary>A file system of some MiB, in memory, that can be filled to its last byte: for files that do not come by the port. To mount it takes root; where that is not allowed the test is skipped.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly TemporaryDirectory directory = new();

    public SmallDisk(int mebibytes)
    {
        var isMounted = false;
        try
        {
            isMounted = Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "none", Path) == 0;
        }
        finally
        {
            if (!isMounted)
            {
                directory.Dispose();
            }
        }

        Assert.SkipUnless(isMounted, "A small disk cannot be mounted here.");
    }

    public string Path => directory.Path;

    public long FreeBytes => new DriveInfo(Path).AvailableFreeSpace;

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>Takes all that is free but for so many bytes.</summary>
    public void Fill(long butFor = 0)
    {
        using var file = File.Open(Filler, FileMode.Append);
        while (FreeBytes - butFor is > 0 and var more)
        {
            file.Write(new byte[Math.Min(more, MiB)]);
            file.Flush();
        }
    }

    public void MakeRoom() => File.Delete(Filler);

    public void Dispose()
    {
        Run("umount", Path);
        directory.Dispose();
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
