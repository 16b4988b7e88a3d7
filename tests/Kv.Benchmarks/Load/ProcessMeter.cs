using System.Globalization;

namespace Kv.Benchmarks.Load;

/// <summary>What Linux tells of processes: CPU seconds and resident bytes.</summary>
internal static class ProcessMeter
{
    private const double TicksPerSecond = 100; // USER_HZ: the same on every Linux that .NET runs on

    public static double CpuSeconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    public static long ResidentBytes(int pid) => StatusBytes(pid, "VmRSS:");

    /// <summary>The most that were ever resident.</summary>
    public static long PeakResidentBytes(int pid) => StatusBytes(pid, "VmHWM:");

    private static long StatusBytes(int pid, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(text => text.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
