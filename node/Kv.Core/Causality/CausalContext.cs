using System.Buffers.Binary;
using System.Numerics;
using Kv.Core.Codecs;

namespace Kv.Core.Causality;

/// <summary>
/// A version vector as the opaque token that clients are given by a read and hand back with a write. No token, or an empty one,
/// stands for "has seen nothing". A token that was damaged or cut on its way is refused: taken for what it is not, it could cover writes that
/// its client never saw. The checksum is against accidents, not against forgers: a client that may write a key may overwrite it anyway.
/// <code>
/// offset size
/// 0      1    version, 1
/// 1      4    CRC-32C of the rest, little endian
/// 5      ...  clock (ClockCodec)
/// </code>
/// </summary>
public static class CausalContext
{
    /// <summary>Entries; a longer clock is cut to its newest, which can make siblings that a whole one would have resolved.</summary>
    public const int MaxEntries = 2048;

    /// <summary>Bytes of the longest token that is read.</summary>
    public const int MaxBytes = HeaderBytes + 5 + (MaxEntries * ClockCodec.MaxEntryBytes);

    private const byte Version = 1;
    private const int HeaderBytes = 5;

    /// <summary>The token; empty for the empty vector.</summary>
    public static byte[] Encode(VersionVector clock)
    {
        if (clock.IsEmpty)
        {
            return [];
        }

        if (clock.Entries.Length > MaxEntries)
        {
            clock = clock.Prune(MaxEntries, MaxEntries, int.MinValue, int.MaxValue, uint.MaxValue, static _ => false);
        }

        var most = HeaderBytes + ClockCodec.MaxBytes(clock);
        var buffer = most <= 512 ? stackalloc byte[most] : new byte[most];
        var writer = new ByteWriter(buffer);
        writer.WriteByte(Version);
        writer.WriteUInt32(0);
        ClockCodec.Write(ref writer, clock);
        var token = buffer[..writer.Written];
        BinaryPrimitives.WriteUInt32LittleEndian(token[1..], Checksum(token[HeaderBytes..]));
        return token.ToArray();
    }

    /// <summary>Reads a token; false with a reason fit for a client where it is not one.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> token, out VersionVector clock, out string reason)
    {
        clock = VersionVector.Empty;
        reason = "";
        if (token.IsEmpty)
        {
            return true;
        }

        if (token.Length > MaxBytes)
        {
            reason = $"the context has {token.Length} bytes; the longest has {MaxBytes}";
            return false;
        }

        if (token[0] != Version)
        {
            reason = $"the context is of version {token[0]}, not {Version}, or no context at all";
            return false;
        }

        if (token.Length <= HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(token[1..]) != Checksum(token[HeaderBytes..]))
        {
            reason = "the context is damaged: its checksum does not match";
            return false;
        }

        var reader = new ByteReader(token, HeaderBytes);
        var decoded = ClockCodec.Read(ref reader, out var cause);
        if (decoded is null || reader.Left != 0 || decoded.Entries.Length > MaxEntries)
        {
            reason = decoded is null ? $"the context is malformed: {cause}" : "the context is malformed: it is longer than its clock";
            return false;
        }

        clock = decoded;
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
