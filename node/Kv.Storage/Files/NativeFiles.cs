using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kv.Storage.Files;

/// <summary>The two system calls that .NET has no door to: fdatasync, and fsync of a directory. Elsewhere than on Linux the nearest that .NET offers.</summary>
internal static partial class NativeFiles
{
    private const int ReadOnlyDirectory = 0x10000 | 0x80000; // O_RDONLY | O_DIRECTORY | O_CLOEXEC on x86-64
    private const int ReadOnlyDirectoryArm = 0x4000 | 0x80000; // O_DIRECTORY has another value on arm64
    private const int Interrupted = 4;

    /// <summary>Like fsync without the file's times, which would cost a journal commit for each group of the log.</summary>
    public static void SyncData(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        while (FDataSync(handle) != 0)
        {
            ThrowUnlessInterrupted("fdatasync", path);
        }
    }

    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Windows has no such call, and macOS syncs names with the file's full sync.
        }

        var flags = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ReadOnlyDirectoryArm : ReadOnlyDirectory;
        int descriptor;
        while ((descriptor = Open(path, flags)) < 0)
        {
            ThrowUnlessInterrupted("open", path);
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        while (FSync(handle) != 0)
        {
            ThrowUnlessInterrupted("fsync", path);
        }
    }

    private static void ThrowUnlessInterrupted(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        if (error != Interrupted)
        {
            throw new IOException($"{call} of {path} failed: {Marshal.GetPInvokeErrorMessage(error)} (errno {error}).");
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
