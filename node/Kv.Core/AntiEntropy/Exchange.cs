namespace Kv.Core.AntiEntropy;

/// <summary>
/// How one vnode finds out in what it differs from another, as a step core: roots, then branches, then segments, then the keys of the segments that differ. Whoever
/// runs it does what <see cref="Next"/> wants and tells the outcome by the method of the same kind; any other order throws. Memory is bounded by a page of each side and the
/// largest segment. Trees may change meanwhile: what has not arrived yet on one side is found to differ, and repairing it does no harm. (Riak: riak_kv_exchange_fsm.)
/// </summary>
public sealed class Exchange
{
    /// <summary>Branches whose segments are asked for at once: 16 KiB of hashes.</summary>
    public const int BranchesAtOnce = 16;

    /// <summary>Segments whose keys are asked for at once.</summary>
    public const int SegmentsAtOnce = 64;

    private readonly HashTree mine;
    private readonly Queue<int> branches = new();
    private readonly List<int> segments = [];
    private readonly List<TreeEntry> theirEntries = [];
    private readonly List<TreeEntry> myEntries = [];
    private int ended;
    private int theirWhole;
    private int myWhole;

    public Exchange(HashTree mine)
    {
        this.mine = mine;
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
            var leaves = theirs.Slice(index * HashTree.SegmentsPerBranch, HashTree.SegmentsPerBranch);
            foreach (var leaf in HashTree.Differing(mine.SegmentHashes(asked[index]), leaves))
            {
                segments.Add((asked[index] * HashTree.SegmentsPerBranch) + leaf);
            }
        }

        GoOn();
    }

    /// <summary>A page of the peer's, which ends so many of the segments asked for; with none, it ends within the first.</summary>
    public void TakeTheirs(IReadOnlyList<TreeEntry> entries, int whole)
    {
        var asked = Expect<ExchangeStep.AskEntries>();
        CheckPage(entries, whole, asked.Segments);
        theirEntries.AddRange(entries);
        theirWhole = whole;
        Next = whole == 0
            ? new ExchangeStep.AskEntries(asked.Segments, entries[^1].Key)
            : new ExchangeStep.ReadEntries([.. asked.Segments.Take(whole)], default);
    }

    /// <summary>A page of one's own.</summary>
    public void TakeMine(IReadOnlyList<TreeEntry> entries, int whole)
    {
        var asked = Expect<ExchangeStep.ReadEntries>();
        CheckPage(entries, whole, asked.Segments);
        myEntries.AddRange(entries);
        myWhole += whole;
        if (myWhole < theirWhole)
        {
            Next = new ExchangeStep.ReadEntries([.. asked.Segments.Skip(whole)], whole == 0 ? entries[^1].Key : default);
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

        Next = ended < segments.Count
            ? new ExchangeStep.AskEntries([.. segments.Skip(ended).Take(SegmentsAtOnce)], default)
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
            throw new ArgumentException($"a page that ends {whole} of {asked.Count} segments with {entries.Count} entries", nameof(whole));
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
