using System.Buffers.Binary;

namespace Kv.Core.Codecs;

/// <summary>
/// Reads a durable format's bytes front to back. A read past the end or of a malformed number returns 0 and sets
/// <see cref="Failed"/>, which stays: a decoder reads a few fields and then looks once.
/// </summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes, int offset = 0)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;

    /// <summary>Where the next read begins; after a failure, where the field that failed began.</summary>
    public int Offset { get; private set; } = offset;

    public bool Failed { get; private set; }

    public readonly int Left => bytes.Length - Offset;

    /// <summary>What was read is not what may be there.</summary>
    public void Fail() => Failed = true;

    public byte ReadByte() => Has(1) ? bytes[Offset++] : (byte)0;

    public uint ReadUInt32() => Has(4) ? BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) : 0;

    public ulong ReadUInt64() => Has(8) ? BinaryPrimitives.ReadUInt64LittleEndian(Take(8)) : 0;

    /// <summary>A base-128 number, least significant group first, in its shortest form and no longer than 10 bytes.</summary>
    public ulong ReadVarint()
    {
        if (Failed)
        {
            return 0;
        }

        var value = 0UL;
        var limit = Math.Min(Left, 10);
        for (var i = 0; i < limit; i++)
        {
            var group = bytes[Offset + i];
            value |= (ulong)(group & 0x7F) << (7 * i);
            if (group >= 0x80)
            {
                continue;
            }

            // A last group of zero is a longer spelling of a shorter number; a tenth group above one does not fit 64 bits.
            if ((i > 0 && group == 0) || (i == 9 && group > 1))
            {
                break;
            }

            Offset += i + 1;
            return value;
        }

        Failed = true;
        return 0;
    }

    /// <summary>A varint that is at most <paramref name="maximum"/>.</summary>
    public uint ReadVarint32(uint maximum = uint.MaxValue)
    {
        var start = Offset;
        var value = ReadVarint();
        if (value <= maximum)
        {
            return (uint)value;
        }

        Offset = start;
        Failed = true;
        return 0;
    }

    /// <summary>A count of things that take at least <paramref name="leastBytes"/> each, so that a damaged count can't ask for more memory than there are bytes.</summary>
    public int ReadCount(int leastBytes)
    {
        var start = Offset;
        var count = ReadVarint();
        if (count * (ulong)leastBytes <= (ulong)Left && count <= int.MaxValue)
        {
            return (int)count;
        }

        Offset = start;
        Failed = true;
        return 0;
    }

    /// <summary>A varint length and that many bytes.</summary>
    public ReadOnlySpan<byte> ReadBlock()
    {
        var length = ReadCount(1);
        return Failed ? default : Take(length);
    }

    private bool Has(int count)
    {
        Failed |= Left < count;
        return !Failed;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = bytes.Slice(Offset, count);
        Offset += count;
        return taken;
    }
}
