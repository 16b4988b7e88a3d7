namespace Kv.Storage.Tests.Files;

/// <summary>A file's bytes as programs see them, as stable storage has them, and the writes between.</summary>
internal sealed class Inode
{
    public bool IsDirectory { get; init; }

    public byte[] Current { get; private set; } = [];

    public int Length { get; private set; }

    /// <summary>Never changed in place: a captured image may share it.</summary>
    public byte[] Durable { get; set; } = [];

    public List<(int Offset, byte[] Bytes)> Unsynced { get; } = [];

    public void Put(int offset, ReadOnlySpan<byte> bytes)
    {
        var end = offset + bytes.Length;
        if (end > Current.Length)
        {
            var grown = new byte[Math.Max(end, Current.Length * 2)];
            Current.AsSpan(0, Length).CopyTo(grown);
            Current = grown;
        }

        bytes.CopyTo(Current.AsSpan(offset));
        Length = Math.Max(Length, end);
    }
}
