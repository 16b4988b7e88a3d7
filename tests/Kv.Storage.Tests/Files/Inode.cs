namespace Kv.Storage.Tests.Files;

/// <summary>A file's bytes as programs see them, as stable storage has them, and the writes between.</summary>
internal sealed class Inode
{
    private bool isShared;

    public bool IsDirectory { get; init; }

    public byte[] Current { get; private set; } = [];

    public int Length { get; private set; }

    /// <summary>Never changed in place: a captured image may share it.</summary>
    public byte[] Durable { get; set; } = [];

    public List<(int Offset, byte[] Bytes)> Unsynced { get; } = [];

    /// <summary>What was written since the last sync is on stable storage; of what a failed one lost, nothing.</summary>
    public void Sync()
    {
        Durable = WithUnsynced(static _ => true);
        Unsynced.Clear();
    }

    /// <summary>A sync that failed, as Linux has it: programs see what they wrote, some of it is on stable storage, and no later sync writes the rest.</summary>
    public void LoseUnsynced(int seed)
    {
        var random = new Random(seed);
        Durable = WithUnsynced(_ => random.Next(2) == 0);
        Unsynced.Clear();
    }

    /// <summary>Makes the array, which nobody changes from here on, all of the file.</summary>
    public void Share(byte[] whole) => (Current, Length, isShared) = (whole, whole.Length, true);

    public void Put(int offset, ReadOnlySpan<byte> bytes)
    {
        var end = offset + bytes.Length;
        if (isShared || end > Current.Length)
        {
            var own = new byte[end > Current.Length ? Math.Max(end, Current.Length * 2) : Current.Length];
            Current.AsSpan(0, Length).CopyTo(own);
            (Current, isShared) = (own, false);
        }

        bytes.CopyTo(Current.AsSpan(offset));
        Length = Math.Max(Length, end);
    }

    private byte[] WithUnsynced(Predicate<(int Offset, byte[] Bytes)> isWritten)
    {
        var written = Unsynced.FindAll(isWritten);
        if (written.Count == 0 || (written is [(0, var whole)] && whole.Length >= Durable.Length))
        {
            return written.Count == 0 ? Durable : written[0].Bytes;
        }

        var durable = new byte[written.Select(write => write.Offset + write.Bytes.Length).Append(Durable.Length).Max()];
        Durable.CopyTo(durable, 0);
        foreach (var (offset, bytes) in written)
        {
            bytes.CopyTo(durable, offset);
        }

        return durable;
    }
}
