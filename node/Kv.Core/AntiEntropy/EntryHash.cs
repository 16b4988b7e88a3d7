using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// Hashes that replicas compare, the same on every node and machine: a key's, which places it in a tree, and an entry's, which stands for its key and all
/// bytes of its stored form. Fast and not cryptographic: they find what got lost, not who lies. Changing them is a new <see cref="HashTree.Version"/>.
/// </summary>
public static class EntryHash
{
    private const ulong KeySeed = 0x9E3779B97F4A7C15UL;
    private const ulong First = 0xBF58476D1CE4E5B9UL;
    private const ulong Second = 0x94D049BB133111EBUL;

    /// <summary>Of a key as stores know it.</summary>
    public static ulong OfKey(ReadOnlySpan<byte> key) => Of(key, KeySeed);

    /// <summary>Of an entry, given its key's hash. Never 0, which stands for no entry.</summary>
    public static ulong OfEntry(ulong keyHash, ReadOnlySpan<byte> value)
    {
        var hash = Of(value, keyHash ^ Second);
        return hash == 0 ? 1 : hash;
    }

    // hot
    private static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var hash = Fold(seed ^ First, (ulong)bytes.Length ^ Second);
        while (bytes.Length >= 16)
        {
            hash = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ First ^ hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ BitOperations.RotateLeft(hash, 32));
            bytes = bytes[16..];
        }

        // What is left, filled up with zeros; the length above tells them from zeros of the value.
        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        bytes.CopyTo(rest);
        hash = Fold(BinaryPrimitives.ReadUInt64LittleEndian(rest) ^ First ^ hash, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ BitOperations.RotateLeft(hash, 32));
        return Finish(hash);
    }

    // The product of two words, its upper half folded onto its lower one; the operands go in too, so that a zero among them does not wipe out the other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out ulong low);
        return high ^ low ^ a ^ BitOperations.RotateLeft(b, 17);
    }

    // The finaliser of splitmix64: each bit reaches every bit.
    private static ulong Finish(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * First;
        hash = (hash ^ (hash >> 27)) * Second;
        return hash ^ (hash >> 31);
    }
}
