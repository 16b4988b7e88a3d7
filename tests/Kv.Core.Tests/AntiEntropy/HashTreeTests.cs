using System.Text;
using CsCheck;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.AntiEntropy;

/// <summary>The laws that exchanges rely on: a tree depends on the set of entries and nothing else, and two differ exactly where their sets do.</summary>
public sealed class HashTreeTests
{
    private static readonly TreeRange Range = new(new PartitionId(3), 3);

    private static readonly Gen<Dictionary<int, int>> Sets = Gen.Dictionary(Gen.Int[0, 500], Gen.Int[0, 3])[0, 200];

    private static readonly Gen<int> Depths = Gen.Int[0, HashTree.MaxDepth];

    private readonly record struct Entry(int Key, int Value)
    {
        public ulong KeyHash => EntryHash.OfKey(Encoding.UTF8.GetBytes($"key-{Key}"));

        public ulong Hash => EntryHash.OfEntry(KeyHash, Encoding.UTF8.GetBytes($"value-{Value}"));

        public int Place => HashTree.PlaceOf(KeyHash);

        public int Segment => HashTree.SegmentOf(KeyHash);
    }

    [Fact]
    public void Tree_DependsOnTheSetAlone_NotOnOrderOrOnWhatWasThereBefore() =>
        Gen.Select(Sets, Sets, Gen.Int).Sample((set, before, seed) =>
        {
            var direct = TreeOf(set);

            // First another set, then each key brought to what it is to hold, in an order of chance.
            var roundabout = TreeOf(before);
            var keys = set.Keys.Union(before.Keys).ToArray();
            new Random(seed).Shuffle(keys);
            foreach (var key in keys)
            {
                var change = TreeChange.Of(Range, new Entry(key, 0).KeyHash, HashOf(before, key), HashOf(set, key));
                roundabout.Toggle(change.Place, change.Hash);
            }

            Assert.Equal(direct.Root, roundabout.Root);
            Assert.Empty(HashTree.Differing(direct, roundabout));
        });

    [Fact]
    public void TwoTrees_DifferExactlyInTheSegmentsWhereTheirSetsDo() =>
        Gen.Select(Sets, Sets).Sample((a, b) =>
        {
            var expected = a.Keys.Union(b.Keys)
                .Where(key => HashOf(a, key) != HashOf(b, key))
                .Select(key => new Entry(key, 0).Segment)
                .Distinct()
                .Order();
            Assert.Equal(expected, HashTree.Differing(TreeOf(a), TreeOf(b)));
        });

    [Fact]
    public void TreesOfTwoDepths_DifferExactlyInTheLeavesWhereTheirSetsDo() =>
        Gen.Select(Sets, Sets, Depths, Depths).Sample((a, b, depthOfA, depthOfB) =>
        {
            var depth = Math.Min(depthOfA, depthOfB);
            var expected = a.Keys.Union(b.Keys)
                .Where(key => HashOf(a, key) != HashOf(b, key))
                .Select(key => HashTree.LeafAt(new Entry(key, 0).Place, depth))
                .Distinct()
                .Order();
            Assert.Equal(expected, HashTree.Differing(TreeOf(a, depthOfA), TreeOf(b, depthOfB)));
        });

    [Fact]
    public void ATree_ShowsItselfAsAnyOfLessDepth_AndFoldsToIt() =>
        Gen.Select(Sets, Depths, Depths).Sample((set, one, other) =>
        {
            var (deep, shallow) = (TreeOf(set, Math.Max(one, other)), TreeOf(set, Math.Min(one, other)));
            Assert.Equal((shallow.Root, shallow.Depth), (deep.Root, deep.FoldedTo(shallow.Depth).Depth));
            Assert.Equal(shallow.BranchHashes(), deep.BranchHashes());
            Assert.Empty(HashTree.Differing(shallow, deep));
            Assert.Empty(HashTree.Differing(shallow, deep.FoldedTo(shallow.Depth)));
            foreach (var place in set.Keys.Select(key => new Entry(key, 0).Place))
            {
                var (segment, leaf) = (HashTree.LeafAt(place, 0), HashTree.LeafAt(place, shallow.Depth));
                var leaves = shallow.LeafHashes(segment, shallow.Depth);
                Assert.Equal(leaves, deep.LeafHashes(segment, shallow.Depth));
                Assert.Equal(leaves[leaf - (segment << shallow.Depth)], deep.HashOf(leaf, shallow.Depth));
                Assert.Equal(deep.HashOf(segment, 0), leaves.Aggregate(0u, (sum, hash) => sum ^ hash));
            }
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(40, 0)]
    [InlineData(65_536, 0)]
    [InlineData(300_000, 0)]
    [InlineData(300_000, 3)]
    public void CountOfKeys_IsToldFromTheLeavesWithoutEntries(int keys, int depth)
    {
        var tree = new HashTree(depth);
        for (var key = 0; key < keys; key++)
        {
            var entry = new Entry(key, 0);
            tree.Toggle(entry.Place, HashTree.LeafHash(entry.Hash));
        }

        Assert.InRange(tree.EstimateKeys(), keys * 0.95, (keys * 1.05) + 1);
        Assert.InRange(tree.EstimateKeys(256), keys * 0.9, (keys * 1.1) + 1);
    }

    [Fact]
    public void Levels_SumUpToTheRoot() => Sets.Sample(set =>
    {
        var tree = TreeOf(set);
        var branches = tree.BranchHashes();
        Assert.Equal(tree.Root, branches.Aggregate(0u, (sum, hash) => sum ^ hash));
        for (var branch = 0; branch < HashTree.Branches; branch++)
        {
            Assert.Equal(branches[branch], tree.SegmentHashes(branch).Aggregate(0u, (sum, hash) => sum ^ hash));
        }
    });

    [Fact]
    public void ThousandDifferencesInAMillion_AreFoundInAsManySegments()
    {
        const int keys = 1_000_000;
        var (mine, theirs) = (new HashTree(), new HashTree());
        var expected = new SortedSet<int>();
        for (var key = 0; key < keys; key++)
        {
            var entry = new Entry(key, 0);
            mine.Toggle(entry.Place, HashTree.LeafHash(entry.Hash));
            var differs = key % (keys / 1000) == 0;
            theirs.Toggle(entry.Place, HashTree.LeafHash(differs ? new Entry(key, 1).Hash : entry.Hash));
            if (differs)
            {
                expected.Add(entry.Segment);
            }
        }

        Assert.Equal(expected, HashTree.Differing(mine, theirs));
    }

    [Fact]
    public void Keys_SpreadEvenlyOverSegments()
    {
        var counts = new int[HashTree.Segments];
        for (var key = 0; key < HashTree.Segments * 16; key++)
        {
            counts[new Entry(key, 0).Segment]++;
        }

        // 16 on average; a Poisson distribution has none above 45 in so many.
        Assert.InRange(counts.Max(), 17, 45);
        Assert.InRange(counts.Count(count => count == 0), 0, 3);
    }

    // Exchanges between versions of the program and persisted trees rest on these: another value here is another HashTree.Version.
    [Theory]
    [InlineData("", "", 13817441509245163082UL)]
    [InlineData("k", "v", 10544040364441082940UL)]
    [InlineData("a key of more than sixteen bytes", "a value of more than sixteen bytes, too", 13534075606775132871UL)]
    public void Hashes_AreTheSameForEver(string key, string value, ulong expected) =>
        Assert.Equal(expected, EntryHash.OfEntry(EntryHash.OfKey(Encoding.UTF8.GetBytes(key)), Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void Hash_TellsApartWhatIsNearlyEqual()
    {
        var seen = new HashSet<ulong>();
        for (var length = 0; length <= 64; length++)
        {
            var bytes = new byte[length];
            Assert.True(seen.Add(EntryHash.OfKey(bytes)), $"{length} zeros");
            for (var bit = 0; bit < length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.True(seen.Add(EntryHash.OfKey(bytes)), $"bit {bit} of {length} bytes");
                bytes[bit / 8] = 0;
            }
        }
    }

    [Theory]
    [InlineData(3, 3, 3, 8, true)]
    [InlineData(3, 3, 5, 8, true)]
    [InlineData(3, 3, 6, 8, false)]
    [InlineData(3, 3, 2, 8, false)]
    [InlineData(7, 3, 1, 8, true)]
    [InlineData(7, 3, 2, 8, false)]
    [InlineData(0, 12, 7, 8, true)]
    public void Range_IsHeldByNValPartitionsFromItsFirst(int first, int nVal, int partition, int ringSize, bool held) =>
        Assert.Equal(held, new TreeRange(new PartitionId(first), nVal).IsHeldBy(new PartitionId(partition), ringSize));

    private static ulong HashOf(Dictionary<int, int> set, int key) => set.TryGetValue(key, out var value) ? new Entry(key, value).Hash : 0;

    private static HashTree TreeOf(Dictionary<int, int> set, int depth = 0)
    {
        var tree = new HashTree(depth);
        foreach (var (key, value) in set)
        {
            var entry = new Entry(key, value);
            tree.Toggle(entry.Place, HashTree.LeafHash(entry.Hash));
        }

        return tree;
    }
}
