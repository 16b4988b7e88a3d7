using System.Buffers.Binary;
using System.Numerics;

namespace Kv.Storage.Files;

/// <summary>CRC-32C (Castagnoli, as in iSCSI, RFC 3720 appendix B.4): one instruction for eight bytes where the processor has it.</summary>
internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Update(~0u, bytes);

    /// <summary>Of a stretch that follows one with this checksum, 0 where nothing came before.</summary>
    public static uint Of(uint before, ReadOnlySpan<byte> bytes) => ~Update(~before, bytes);

    /// <summary>Of two stretches as if they were one, for a header and its body.</summary>
    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => ~Update(Update(~0u, first), second);

    /// <inheritdoc cref="Of(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) => ~Update(Update(Update(~0u, first), second), third);

    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var one in bytes)
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        return crc;
    }
}
