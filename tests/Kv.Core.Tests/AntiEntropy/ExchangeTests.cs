using System.Text;
using CsCheck;
using Kv.Core.AntiEntropy;
using Xunit;

namespace Kv.Core.Tests.AntiEntropy;

public sealed class ExchangeTests
{
    /// <summary>Bits of a segment's number that a replica keeps: so many keys share a segment that pages end within one.</summary>
    private const int FewSegments = (0x0301 << HashTree.MaxDepth) | 0x90;

    /// <summary>What two replicas hold, how long their pages are, and how deep their trees (-1 for an older program's): few keys, so that they meet, in segments and leaves that are few, so that they are shared.</summary>
    private static readonly Gen<(Dictionary<string, string> Mine, Dictionary<string, string> Theirs, int MyPage, int TheirPage, int MyDepth, int TheirDepth)> Pairs =
        Gen.Select(Contents, Contents, Gen.Int[1, 7], Gen.Int[1, 7], Gen.Int[0, HashTree.MaxDepth], Gen.Int[-1, HashTree.MaxDepth]);

    private static Gen<Dictionary<string, string>> Contents =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[0, 2]).Array[0, 60].Select(drawn => drawn.DistinctBy(d => d.Item1).ToDictionary(d => $"k{d.Item1}", d => $"v{d.Item2}"));

    [Fact]
    public void Exchange_FindsExactlyTheKeysThatDiffer() => Pairs.Sample((mine, theirs, myPage, theirPage, myDepth, theirDepth) =>
    {
        var found = Run(new Replica(mine, myPage, myDepth, FewSegments), new Replica(theirs, theirPage, theirDepth, FewSegments), out _);
        var expected = mine.Keys.Union(theirs.Keys).Where(key => mine.GetValueOrDefault(key) != theirs.GetValueOrDefault(key));
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    });

    [Fact]
    public void EqualTrees_TakeOneQuestion()
    {
        var contents = Enumerable.Range(0, 5000).ToDictionary(key => $"key-{key}", key => $"{key}");
        Assert.Empty(Run(new Replica(contents, 100, 2), new Replica(contents, 100, 0), out var steps));
        Assert.Equal(1, steps);
    }

    [Theory]
    [InlineData(50_000, 0, 0, 6)]
    [InlineData(400_000, 3, 5, 6)]
    [InlineData(400_000, 3, -1, 30)]
    public void FewDifferences_ReadFewKeys(int keys, int myDepth, int theirDepth, int most)
    {
        var mine = Enumerable.Range(0, keys).ToDictionary(key => $"key-{key}", key => $"{key}");
        var theirs = mine.Where(pair => pair.Key.EndsWith("7777", StringComparison.Ordinal) is false).ToDictionary();
        var (a, b) = (new Replica(mine, 100, myDepth), new Replica(theirs, 100, theirDepth));
        Assert.Equal(keys / 10_000, Run(a, b, out _).Count);
        Assert.InRange(a.KeysRead + b.KeysRead, keys / 10_000, keys / 10_000 * most);
    }

    [Fact]
    public void OutcomesInAnotherOrder_AndImpossiblePages_AreBugs()
    {
        var exchange = new Exchange(new HashTree());
        Assert.Throws<InvalidOperationException>(exchange.TakeRepaired);
        exchange.TakeRoot(5);
        var branches = new uint[HashTree.Branches];
        branches[3] = 5;
        exchange.TakeBranches(branches);
        var leaves = new uint[HashTree.SegmentsPerBranch];
        leaves[1] = 5;
        exchange.TakeSegments(leaves);
        Assert.Equal([(3 * 256) + 1], Assert.IsType<ExchangeStep.AskEntries>(exchange.Next).Leaves);
        Assert.Throws<ArgumentException>(() => exchange.TakeTheirs([], 0));
        Assert.Throws<ArgumentException>(() => exchange.TakeTheirs([], 2));
    }

    private static List<string> Run(Replica mine, Replica theirs, out int questions)
    {
        var exchange = new Exchange(mine.Tree);
        var found = new List<string>();
        for (questions = 0; exchange.Next is not ExchangeStep.Done;)
        {
            questions += exchange.Next is ExchangeStep.ReadEntries or ExchangeStep.Repair ? 0 : 1;
            switch (exchange.Next)
            {
                case ExchangeStep.AskRoot:
                    exchange.TakeRoot(theirs.Tree.Root);
                    break;
                case ExchangeStep.AskBranches:
                    exchange.TakeBranches(theirs.Tree.BranchHashes());
                    break;
                case ExchangeStep.AskSegments ask:
                    exchange.TakeSegments(ask.Branches.SelectMany(theirs.Tree.SegmentHashes).ToArray());
                    break;
                case ExchangeStep.AskLeaves when theirs.IsOld:
                    exchange.TakeNoLeaves();
                    break;
                case ExchangeStep.AskLeaves ask:
                    exchange.TakeLeaves(ask.Segments.SelectMany(segment => theirs.Tree.LeafHashes(segment, Math.Min(ask.Depth, theirs.Tree.Depth))).ToArray());
                    break;
                case ExchangeStep.AskEntries ask:
                    Assert.False(theirs.IsOld && ask.Depth > 0);
                    var (their, theirWhole) = theirs.Page(ask.Depth, ask.Leaves, ask.After);
                    exchange.TakeTheirs(their, theirWhole);
                    break;
                case ExchangeStep.ReadEntries ask:
                    var (my, myWhole) = mine.Page(ask.Depth, ask.Leaves, ask.After);
                    exchange.TakeMine(my, myWhole);
                    break;
                case ExchangeStep.Repair repair:
                    found.AddRange(repair.Keys.Select(key => Encoding.UTF8.GetString(key.Span)));
                    exchange.TakeRepaired();
                    break;
            }
        }

        Assert.Equal(found.Count, exchange.Keys);
        return found;
    }

    /// <summary>A replica whose pages hold so many entries.</summary>
    private sealed class Replica
    {
        private readonly Dictionary<int, ILookup<int, TreeEntry>> leaves = [];
        private readonly List<(int Place, TreeEntry Entry)> entries;
        private readonly int page;

        public Replica(Dictionary<string, string> contents, int page, int depth, int kept = -1)
        {
            this.page = page;
            (Tree, IsOld) = (new HashTree(Math.Max(0, depth)), depth < 0);
            entries = [.. contents
                .Select(pair => TreeEntry.Of(Encoding.UTF8.GetBytes(pair.Key), Encoding.UTF8.GetBytes(pair.Value)))
                .OrderBy(entry => Encoding.UTF8.GetString(entry.Key.Span), StringComparer.Ordinal)
                .Select(entry => (HashTree.PlaceOf(EntryHash.OfKey(entry.Key.Span)) & kept, entry))];
            foreach (var (place, entry) in entries)
            {
                Tree.Toggle(place, HashTree.LeafHash(entry.Hash));
            }
        }

        public HashTree Tree { get; }

        public bool IsOld { get; }

        public int KeysRead { get; private set; }

        public (List<TreeEntry> Entries, int Whole) Page(int depth, IReadOnlyList<int> asked, ReadOnlyMemory<byte> after)
        {
            if (!leaves.TryGetValue(depth, out var byLeaf))
            {
                leaves.Add(depth, byLeaf = entries.ToLookup(held => HashTree.LeafAt(held.Place, depth), held => held.Entry));
            }

            var found = new List<TreeEntry>();
            var whole = 0;
            foreach (var leaf in asked)
            {
                var held = byLeaf[leaf].Where(entry => whole > 0 || after.IsEmpty || entry.Key.Span.SequenceCompareTo(after.Span) > 0).ToList();
                if (found.Count + held.Count > page)
                {
                    found.AddRange(whole == 0 ? held.Take(page) : []);
                    break;
                }

                found.AddRange(held);
                whole++;
            }

            KeysRead += found.Count;
            return (found, whole);
        }
    }
}
