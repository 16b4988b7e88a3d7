using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Kv.Operator.Local;

/// <summary>What local mode needs of a Unix system beyond .NET.</summary>
internal static class Shells
{
    public const int Kill = 9;
    public const int Term = 15;
    private const string Setsid = "/usr/bin/setsid";

    /// <summary>A shell script in a session of its own, where the system has setsid.</summary>
    public static ProcessStartInfo Detached(string script, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo { UseShellExecute = false };
        string[] shell = ["/bin/sh", "-c", script, "sh"];
        var command = File.Exists(Setsid) ? [Setsid, .. shell] : shell;
        start.FileName = command[0];
        foreach (var argument in command.Skip(1).Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    /// <summary>Sends a signal; a process that is not there any more is no error.</summary>
    public static void Signal(int pid, int signal)
    {
        if (pid > 1)
        {
            _ = SendSignal(pid, signal);
        }
    }

    public static bool IsAlive(int pid) => pid > 1 && SendSignal(pid, 0) == 0;

    /// <summary>The command line of a process; empty if there is none. From ps, which every Unix has.</summary>
    public static string CommandLineOf(int pid)
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-ww", "-o", "args=", "-p", pid.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        });
        var text = ps?.StandardOutput.ReadToEnd() ?? "";
        ps?.WaitForExit();
        return text.Trim();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);
}
