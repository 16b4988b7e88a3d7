using System.Numerics;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace Kv.Fuzz.Coverage;

/// <summary>
/// Which pairs of branches, one after the other, an input took, and how often by order of magnitude (AFL's map of 64 KiB). An input that took a pair that none before
/// it took, or took it in another order of magnitude, is worth keeping.
/// </summary>
internal sealed unsafe class CoverageMap
{
    private const int Size = 1 << 16;

    /// <summary>The orders of magnitude that each pair was taken in, a bit each.</summary>
    private readonly byte[] seen = new byte[Size];

    /// <summary>Whether decoders tell of their branches. Where they are not rewritten, no input is new, and those at hand are all that is mutated.</summary>
    public static bool IsAttached => Trace.SharedMem is not null;

    private static Span<byte> Counts => IsAttached ? new Span<byte>(Trace.SharedMem, Size) : [];

    /// <summary>Pairs of branches that were taken so far.</summary>
    public int Pairs { get; private set; }

    /// <summary>Gives the decoders that are loaded from here on a place to tell of their branches.</summary>
    public static void Attach() => Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(Size);

    /// <summary>Before an input.</summary>
    public static void Clear()
    {
        Counts.Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>After an input: whether it took something new, which is known from here on.</summary>
    public bool Learn()
    {
        var isNew = false;
        var words = MemoryMarshal.Cast<byte, ulong>(Counts);
        for (var word = 0; word < words.Length; word++)
        {
            if (words[word] != 0)
            {
                isNew |= LearnWord(word * sizeof(ulong));
            }
        }

        return isNew;
    }

    private bool LearnWord(int from)
    {
        var isNew = false;
        for (var at = from; at < from + sizeof(ulong); at++)
        {
            var magnitude = Counts[at] == 0 ? 0 : 1 << BitOperations.Log2(Counts[at]);
            if ((seen[at] & magnitude) != magnitude)
            {
                Pairs += seen[at] == 0 ? 1 : 0;
                seen[at] |= (byte)magnitude;
                isNew = true;
            }
        }

        return isNew;
    }
}
