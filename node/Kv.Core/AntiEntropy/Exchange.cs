using System.Numerics;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// How one vnode finds out in what it differs from another, as a step core: roots, then branches, then segments; then, some differing segments at a time, their leaves, and the keys of leaves that
/// differ. Whoever runs it does what <see cref="Next"/> wants and tells the outcome by the method of the same kind; any other order throws. Trees of two depths are compared as the one of less. Memory is bounded by
/// the list of segments, a page of each side and the largest leaf. Trees may change meanwhile: what has not arrived yet on one side is found to differ, and repairing it does no harm. (Riak: riak_kv_exchange_fsm.)
/// </summary>
public sealed class Exchange
{
    /// <summary>Hashes asked for at once: 16 KiB.</summary>
    public const int HashesAtOnce = BranchesAtOnce * HashTree.SegmentsPerBranch;

    /// <summary>Branches whose segments are asked for at once.</summary>
    public const int BranchesAtOnce = 16;

    /// <summary>Segments whose keys are asked for at once, where there are no finer leaves.</summary>
    public const int SegmentsAtOnce = 64;

    /// <summary>Leaves of more depth whose keys are asked for at once.</summary>
    public const int LeavesAtOnce = 256;

    private readonly HashTree mine;
    private readonly Queue<int> branches = new();
    private readonly List<int> segments = [];
    private List<int> leaves = [];
    private readonly List<TreeEntry> theirEntries = [];
    private readonly List<TreeEntry> myEntries = [];
    private int depth;
    private int opened;
    private int ended;
    private int theirWhole;
    private int myWhole;

    public Exchange(HashTree mine)
    {
        this.mine = mine;
        depth = mine.Depth;
        Next = new ExchangeStep.AskRoot(mine.Root);
    }

    public ExchangeStep Next { get; private set; }

    /// <summary>Segments that differed.</summary>
    public int Segments => segments.Count;

    /// <summary>Keys that were found to differ.</summary>
    public int Keys { get; private set; }

    public void TakeRoot(uint theirs)
    {
        var asked = Expect<ExchangeStep.AskRoot>();
        Next = asked.Mine == theirs ? new ExchangeStep.Done() : new ExchangeStep.AskBranches();
    }

    public void TakeBranches(ReadOnlySpan<uint> theirs)
    {
        Expect<ExchangeStep.AskBranches>();
        foreach (var branch in HashTree.Differing(mine.BranchHashes(), theirs))
        {
            branches.Enqueue(branch);
        }

        GoOn();
    }

    /// <summary>The hashes of the segments of the branches asked for, one branch after another.</summary>
    public void TakeSegments(ReadOnlySpan<uint> theirs)
    {
        var asked = Expect<ExchangeStep.AskSegments>().Branches;
        for (var index = 0; index < asked.Count; index++)
        {
            var hashes = theirs.Slice(index * HashTree.SegmentsPerBranch, HashTree.SegmentsPerBranch);
            foreach (var segment in HashTree.Differing(mine.SegmentHashes(asked[index]), hashes))
            {
                segments.Add((asked[index] * HashTree.SegmentsPerBranch) + segment);
            }
        }

        GoOn();
    }

    /// <summary>The hashes of the leaves of the segments asked for, one segment after another: as many of each as the peer's tree has, at most as many as were asked for.</summary>
    public void TakeLeaves(ReadOnlySpan<uint> theirs)
    {
        var asked = Expect<ExchangeStep.AskLeaves>();
        depth = BitOperations.Log2((uint)(theirs.Length / asked.Segments.Count));
        if (theirs.Length != asked.Segments.Count << depth || depth > asked.Depth)
        {
            throw new ArgumentException($"{theirs.Length} hashes of the leaves of {asked.Segments.Count} segments", nameof(theirs));
        }

        opened += asked.Segments.Count;
        (leaves, ended) = ([], 0);
        for (var index = 0; index < asked.Segments.Count; index++)
        {
            var segment = asked.Segments[index];
            foreach (var leaf in HashTree.Differing(mine.LeafHashes(segment, depth), theirs.Slice(index << depth, 1 << depth)))
            {
                leaves.Add((segment << depth) + leaf);
            }
        }

        GoOn();
    }

    /// <summary>The peer is of an older program, whose trees have segments alone.</summary>
    public void TakeNoLeaves()
    {
        Expect<ExchangeStep.AskLeaves>();
        depth = 0;
        GoOn();
    }

    /// <summary>A page of the peer's, which ends so many of the leaves asked for; with none, it ends within the first.</summary>
    public void TakeTheirs(IReadOnlyList<TreeEntry> entries, int whole)
    {
        var asked = Expect<ExchangeStep.AskEntries>();
        CheckPage(entries, whole, asked.Leaves);
        theirEntries.AddRange(entries);
        theirWhole = whole;
        Next = whole == 0
            ? new ExchangeStep.AskEntries(depth, asked.Leaves, entries[^1].Key)
            : new ExchangeStep.ReadEntries(depth, [.. asked.Leaves.Take(whole)], default);
    }

    /// <summary>A page of one's own.</summary>
    public void TakeMine(IReadOnlyList<TreeEntry> entries, int whole)
    {
        var asked = Expect<ExchangeStep.ReadEntries>();
        CheckPage(entries, whole, asked.Leaves);
        myEntries.AddRange(entries);
        myWhole += whole;
        if (myWhole < theirWhole)
        {
            Next = new ExchangeStep.ReadEntries(depth, [.. asked.Leaves.Skip(whole)], whole == 0 ? entries[^1].Key : default);
            return;
        }

        ended += theirWhole;
        var differing = Differing();
        Keys += differing.Count;
        theirEntries.Clear();
        myEntries.Clear();
        (theirWhole, myWhole) = (0, 0);
        if (differing.Count > 0)
        {
            Next = new ExchangeStep.Repair(differing);
        }
        else
        {
            GoOn();
        }
    }

    public void TakeRepaired()
    {
        Expect<ExchangeStep.Repair>();
        GoOn();
    }

    private void GoOn()
    {
        if (branches.Count > 0)
        {
            var asked = new List<int>();
            while (asked.Count < BranchesAtOnce && branches.TryDequeue(out var branch))
            {
                asked.Add(branch);
            }

            Next = new ExchangeStep.AskSegments(asked);
            return;
        }

        if (ended == leaves.Count && opened < segments.Count && depth > 0)
        {
            Next = new ExchangeStep.AskLeaves(depth, segments.GetRange(opened, Math.Min(HashesAtOnce >> depth, segments.Count - opened)));
            return;
        }

        if (ended == leaves.Count)
        {
            (leaves, ended, opened) = (segments[opened..], 0, segments.Count);
        }

        Next = ended < leaves.Count
            ? new ExchangeStep.AskEntries(depth, leaves.GetRange(ended, Math.Min(depth == 0 ? SegmentsAtOnce : LeavesAtOnce, leaves.Count - ended)), default)
            : new ExchangeStep.Done();
    }

    private List<ReadOnlyMemory<byte>> Differing()
    {
        var held = myEntries.ToDictionary(entry => entry.Key, entry => entry.Hash, KeyComparer.Instance);
        var differing = new List<ReadOnlyMemory<byte>>();
        foreach (var (key, hash) in theirEntries)
        {
            if (!held.Remove(key, out var mineHash) || mineHash != hash)
            {
                differing.Add(key);
            }
        }

        differing.AddRange(held.Keys);
        return differing;
    }

    private static void CheckPage(IReadOnlyList<TreeEntry> entries, int whole, IReadOnlyList<int> asked)
    {
        if (whole < 0 || whole > asked.Count || (whole == 0 && entries.Count == 0))
        {
            throw new ArgumentException($"a page that ends {whole} of {asked.Count} leaves with {entries.Count} entries", nameof(whole));
        }
    }

    private T Expect<T>()
        where T : ExchangeStep =>
        Next as T ?? throw new InvalidOperationException($"the exchange wants {Next.GetType().Name} now");

    private sealed class KeyComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static KeyComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> key) => EntryHash.OfKey(key.Span).GetHashCode();
    }
}
