using System.Collections.Immutable;
using CsCheck;
using Kv.Core.AntiEntropy;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Membership.DocumentSamples;

namespace Kv.Core.Tests.AntiEntropy;

public sealed class TreeLayoutTests
{
    private static readonly Gen<(int Type, int Bucket, int Key)> Keys = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[0, 1000]);

    /// <summary>Documents of some types and buckets with properties of their own, drawn from few names so that keys meet them.</summary>
    private static readonly Gen<ClusterDocument> Documents =
        Gen.Select(Gen.Int[3, 6].Select(log => 1 << log), Gen.Select(Gen.Int[0, 3], PropsGen).Array[0, 3], Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3], PropsGen).Array[0, 3])
            .Select((size, types, buckets) => Single(size) with
            {
                BucketTypes = types.DistinctBy(t => t.Item1).ToImmutableSortedDictionary(t => $"t{t.Item1}", t => new BucketType($"t{t.Item1}", BucketTypeState.Active, t.Item2), StringComparer.Ordinal),
                Buckets = buckets.DistinctBy(b => (b.Item1, b.Item2)).ToImmutableSortedDictionary(b => NameOf(b.Item1, b.Item2), b => b.Item3),
            });

    private static Gen<BucketProps> PropsGen => Gen.Select(Gen.Int[1, 5], Gen.Bool).Select((n, aae) => BucketProps.NewType with { NVal = n, Aae = aae });

    [Fact]
    public void KeysRange_IsHeldByExactlyItsPrimaries() => Gen.Select(Documents, Keys).Sample((document, drawn) =>
    {
        var key = KeyOf(drawn);
        var layout = TreeLayout.Of(document);
        var props = document.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) ?? BucketProps.NewType;
        var range = layout.RangeOf(key);
        Assert.Equal(props.Aae, range is not null);
        if (range is not { } found)
        {
            return;
        }

        Assert.Equal(props.NVal, found.NVal);
        var first = RingHash.FirstPartition(key, props.ChashKeyFun, document.Ring.Size);
        var primaries = PreferenceList.Primaries(document.Ring, first, props.NVal).Select(entry => entry.Partition).ToHashSet();
        foreach (var partition in Enumerable.Range(0, document.Ring.Size).Select(number => new PartitionId(number)))
        {
            Assert.Equal(primaries.Contains(partition), layout.RangeAt(partition, key) is not null);
            Assert.Equal(primaries.Contains(partition), layout.RangesOf(partition).Contains(found));
        }
    });

    [Fact]
    public void LayoutsOfOneId_PutEveryKeyIntoTheSameRange() => Gen.Select(Documents, Documents, Keys.Array[20]).Sample((one, other, keys) =>
    {
        var (a, b) = (TreeLayout.Of(one), TreeLayout.Of(other));
        var alike = keys.All(key => a.RangeOf(KeyOf(key)) == b.RangeOf(KeyOf(key)));
        Assert.True(alike || a.Id != b.Id);
        Assert.Equal(a.Id, TreeLayout.Of(one with { Version = one.Version + 7 }).Id);
    });

    [Fact]
    public void TypeWithTheUsualNVal_ChangesNothing()
    {
        var before = Single(16);
        Assert.Equal(TreeLayout.Of(before).Id, TreeLayout.Of(With(before, "plain", BucketProps.NewType with { AllowMult = false })).Id);
        Assert.NotEqual(TreeLayout.Of(before).Id, TreeLayout.Of(With(before, "five", BucketProps.NewType with { NVal = 5 })).Id);
        Assert.NotEqual(TreeLayout.Of(before).Id, TreeLayout.Of(With(before, "cache", BucketProps.NewType with { Aae = false })).Id);
        Assert.NotEqual(TreeLayout.Of(before).Id, TreeLayout.Of(Single(32)).Id);
    }

    [Fact]
    public void TypeThatTakesNoPart_HasNoTrees()
    {
        var layout = TreeLayout.Of(With(Single(16), "cache", BucketProps.NewType with { NVal = 2, Aae = false }));
        Assert.Null(layout.RangeOf(new ObjectKey("cache", "b", "k")));
        Assert.Equal(3, layout.RangesOf(new PartitionId(1)).Length);
    }

    [Fact]
    public void TypeInMemory_HasTreesOfItsOwn()
    {
        var memory = BucketProps.NewType with { Backend = BucketProps.MemoryBackend };
        var layout = TreeLayout.Of(With(Single(16), "cache", memory));
        var range = layout.RangeOf(new ObjectKey("cache", "b", "k"))!.Value;
        Assert.True(range.IsVolatile);
        Assert.Equal(range, new TreeRange(range.First, 3, IsVolatile: true));
        Assert.Equal(6, layout.RangesOf(range.First).Length);
        Assert.Contains(range, layout.RangesOf(range.First));
        Assert.NotEqual(TreeLayout.Of(Single(16)).Id, layout.Id);
        Assert.Equal(3, TreeLayout.Of(With(Single(16), "cache", memory with { Aae = false })).RangesOf(range.First).Length);
    }

    [Fact]
    public void Id_IsPinned() => Assert.Equal(17229584497132903865UL, TreeLayout.Of(With(Single(64), "five", BucketProps.NewType with { NVal = 5 })).Id);

    private static ClusterDocument With(ClusterDocument document, string type, BucketProps props) =>
        document with { BucketTypes = document.BucketTypes.Add(type, new BucketType(type, BucketTypeState.Active, props)) };

    private static BucketName NameOf(int type, int bucket) => new(type == 4 ? ObjectKey.DefaultType : $"t{type}", $"b{bucket}");

    private static ObjectKey KeyOf((int Type, int Bucket, int Key) drawn) =>
        new(NameOf(drawn.Type, drawn.Bucket).BucketType, $"b{drawn.Bucket}", $"k{drawn.Key}");
}
