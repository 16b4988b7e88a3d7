using System.Globalization;

namespace Kv.Operator.Local;

/// <summary>
/// Which blocks of ports this run has, so that two runs on one machine never share one: not when both look for free ports at the same moment, and not while a
/// node of the other is down. A locked file per block in the machine's temporary directory; the system lets go of it when the process ends, however it ends.
/// </summary>
internal sealed class PortReservations(string directory) : IDisposable
{
    private readonly Dictionary<int, FileStream> held = [];

    public PortReservations()
        : this(Path.Combine(Path.GetTempPath(), "kv-local-ports"))
    {
    }

    /// <summary>Whether the block is this run's from now on, or was already.</summary>
    public bool TryReserve(int block)
    {
        if (held.ContainsKey(block))
        {
            return true;
        }

        try
        {
            Directory.CreateDirectory(directory);
            var file = Path.Combine(directory, block.ToString(CultureInfo.InvariantCulture));
            held[block] = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another run's, or another user's.
            return false;
        }
    }

    public void Dispose()
    {
        foreach (var file in held.Values)
        {
            file.Dispose();
        }

        held.Clear();
    }
}
