using System.Text;
using Kv.Chaos.Checks;
using Kv.Chaos.Rings;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage;
using Xunit;

namespace Kv.Chaos.Tests.Checks;

public sealed class DotCheckTests
{
    private static readonly Dot First = new(new ActorId(new NodeId(7), new PartitionId(1), 1), 1);
    private readonly DotCheck check = new();

    [Fact]
    public void ReplicasOfOneWrite_AreOneUseOfItsDot_AndClientsSeeTheSame()
    {
        Stored("cart", Sibling("a", First, at: 5));
        Stored("cart", Sibling("a", First, at: 5), Sibling("b", First with { Counter = 2 }, at: 6));
        check.SawTag(Key("cart"), "tag-a", "a");
        Assert.Empty(check.Problems);
        Assert.Equal(3, check.Siblings);
    }

    [Fact]
    public void ADotOfTwoValues_IsTold()
    {
        Stored("cart", Sibling("a", First, at: 5));
        Stored("cart", Sibling("b", First, at: 5) with { VTag = "tag-a" });
        Assert.Equal(2, check.Problems.Count);
        Assert.All(check.Problems, problem => Assert.Matches(" names a of .* and b of ", problem));
    }

    [Fact]
    public void ADotOfTwoKeys_OrOfTwoDeletes_IsTold()
    {
        Stored("cart", Sibling("a", First, at: 5));
        Stored("other", Sibling("a", First, at: 5) with { VTag = "else" });
        Assert.Single(check.Problems);
        var delete = First with { Counter = 2 };
        Stored("cart", Sibling("", delete, at: 5) with { IsTombstone = true });
        Stored("cart", Sibling("", delete, at: 6) with { IsTombstone = true });
        Assert.Equal(2, check.Problems.Count);
    }

    [Fact]
    public void ATagThatClientsSawOnTwoWrites_IsTold_WhereTagsAreDots()
    {
        check.SawTag(Key("cart"), "tag", "a");
        check.SawTag(new ObjectKey(BucketTypes.Plain, "carts", "cart"), "tag", "b");
        Assert.Empty(check.Problems);
        check.SawTag(Key("cart"), "tag", "b");
        Assert.Contains("the tag tag names a of", Assert.Single(check.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoresOfStoppedNodes_AreRead()
    {
        var root = Directory.CreateTempSubdirectory("kv-chaos-tests-").FullName;
        try
        {
            await WriteAsync(Path.Combine(root, "n0"), Sibling("a", First, at: 5));
            await WriteAsync(Path.Combine(root, "n1"), Sibling("b", First, at: 5));
            await check.ReadAsync([("n0", Path.Combine(root, "n0")), ("n1", Path.Combine(root, "n1")), ("n2", Path.Combine(root, "none"))]);
            Assert.Equal(4, check.Siblings);
            Assert.Equal(2, check.OrderedSiblings);
            Assert.Contains(check.Problems, problem => problem.StartsWith("the dot ", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task WhereNoStoreHasADot_NothingIsShown()
    {
        await check.ReadAsync([]);
        Assert.Contains("no store", Assert.Single(check.Problems), StringComparison.Ordinal);
    }

    private static ObjectKey OrderedKey(string name) => new(BucketTypes.Ordered, "carts", name);

    private static ObjectKey Key(string name) => new(BucketTypes.Siblings, "carts", name);

    private static Sibling Sibling(string value, Dot dot, long at) => new() { Dot = dot, Value = Encoding.UTF8.GetBytes(value), LastModifiedMicroseconds = at, VTag = "tag-" + value };

    private static byte[] Object(params Sibling[] siblings) =>
        ObjectCodec.Encode(KvObject.Create(siblings.Aggregate(VersionVector.Empty, (clock, sibling) => clock.Increment(sibling.Dot!.Value.Actor, sibling.Dot.Value.Counter, 0)), [.. siblings]));

    private static async Task WriteAsync(string data, Sibling sibling)
    {
        await using var engine = StorageEngine.Open(new StorageOptions { Directory = data, MinFreeBytes = 128 << 20 }, static _ => { }, runsUpkeep: false);
        var batch = new WriteBatch();
        batch.Put(Key("cart").Encoded, Object(sibling));
        batch.Put(OrderedKey("cart").Encoded, Object(sibling with { Dot = sibling.Dot!.Value with { Counter = 9 } }), StoreBackend.Ordered);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
    }

    private void Stored(string key, params Sibling[] siblings) => check.SawStored(Key(key).Encoded, Object(siblings));
}
