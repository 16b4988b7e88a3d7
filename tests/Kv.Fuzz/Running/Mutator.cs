using System.Buffers.Binary;
using System.Text;

namespace Kv.Fuzz.Running;

/// <summary>Makes an input of another: a few changes in a row, as AFL's havoc does them. One random sequence decides all.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<string> words, int mostBytes)
{
    private const int MostChanges = 8;

    /// <summary>Where decoders go wrong: at the ends of a type, and about the lengths that they have limits at.</summary>
    private static readonly long[] Interesting =
        [0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65535, 65536, 1 << 24, int.MaxValue, uint.MaxValue, long.MaxValue, -1, -2, -128, int.MinValue, long.MinValue];

    private readonly byte[][] words = [.. words.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A new input: <paramref name="from"/>, changed, or a part of it with a part of <paramref name="other"/>, changed.</summary>
    public byte[] Mutate(byte[] from, byte[] other)
    {
        var bytes = new List<byte>(random.Next(8) == 0 ? [.. Head(from), .. Tail(other)] : from);
        for (var left = 1 + random.Next(MostChanges); left > 0; left--)
        {
            Change(bytes, other);
        }

        return bytes.Count <= mostBytes ? [.. bytes] : [.. bytes[..mostBytes]];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        var at = random.Next(bytes.Count + 1);
        switch (random.Next(14))
        {
            case 0 or 1 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 when at < bytes.Count:
                bytes[at] += (byte)(random.Next(2) == 0 ? 1 + random.Next(16) : -1 - random.Next(16));
                break;
            case 4:
                bytes.Insert(at, (byte)random.Next(256));
                break;
            case 5 when bytes.Count > 0:
                RemovePart(bytes);
                break;
            case 6 when bytes.Count > 0:
                bytes.InsertRange(at, Part([.. bytes]));
                break;
            case 7:
                Overwrite(bytes, at, Number());
                break;
            case 8:
                bytes.InsertRange(at, random.Next(2) == 0 ? Varint() : Digits());
                break;
            case 9 when words.Length > 0:
                bytes.InsertRange(at, words[random.Next(words.Length)]);
                break;
            case 10 when words.Length > 0:
                Overwrite(bytes, at, words[random.Next(words.Length)]);
                break;
            case 11 when other.Length > 0:
                bytes.InsertRange(at, Part(other));
                break;
            case 12 when random.Next(8) == 0 && bytes.Count > 0:
                Repeat(bytes, at);
                break;
            default:
                Overwrite(bytes, at, Varint());
                break;
        }
    }

    private byte[] Head(byte[] bytes) => bytes[..random.Next(bytes.Length + 1)];

    private byte[] Tail(byte[] bytes) => bytes[random.Next(bytes.Length + 1)..];

    private byte[] Part(byte[] bytes)
    {
        var from = random.Next(bytes.Length);
        return bytes[from..(from + 1 + random.Next(Math.Min(64, bytes.Length - from)))];
    }

    private void RemovePart(List<byte> bytes)
    {
        var from = random.Next(bytes.Count);
        bytes.RemoveRange(from, 1 + random.Next(Math.Min(64, bytes.Count - from)));
    }

    /// <summary>Many of a part in a row: what is nested too deep, or is too many.</summary>
    private void Repeat(List<byte> bytes, int at)
    {
        var part = Part([.. bytes]);
        for (var room = random.Next(mostBytes); room >= part.Length; room -= part.Length)
        {
            bytes.InsertRange(at, part);
        }
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> with)
    {
        for (var index = 0; index < with.Length && at + index < bytes.Count; index++)
        {
            bytes[at + index] = with[index];
        }
    }

    private byte[] Number()
    {
        var bytes = new byte[8];
        var value = Interesting[random.Next(Interesting.Length)];
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            return bytes[..(1 << random.Next(4))];
        }

        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes[^(1 << random.Next(4))..];
    }

    private byte[] Varint()
    {
        var bytes = new List<byte>();
        var value = (ulong)(random.Next(2) == 0 ? Interesting[random.Next(Interesting.Length)] : random.Next(300));
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }

    private byte[] Digits() => Encoding.ASCII.GetBytes(Interesting[random.Next(Interesting.Length)].ToString(System.Globalization.CultureInfo.InvariantCulture));
}
