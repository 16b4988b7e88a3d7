using System.Collections.Immutable;
using System.Text;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Rings;

/// <summary>Riak 1.1's golden vectors.</summary>
public sealed class RingHashTests
{
    private static readonly ModuleFunction Standard = new("riak_core_util", "chash_std_keyfun");
    private static readonly ModuleFunction BucketOnly = new("riak_core_util", "chash_bucketonly_keyfun");

    [Theory]
    [InlineData("default", "foo", "bar", "49d41bea680d96cf005256b77de1ac9a872e0670")]
    [InlineData("default", "mybucket", "mykey", "78d9565d2918446ccc6d3b4fd32634019d037c3a")]
    [InlineData("mytype", "mybucket", "mykey", "7d4dfe66b5ecab50db4b2fe4376605b0aed5672f")]
    public void Hash_OfKnownKey_IsRiaks(string type, string bucket, string key, string expected)
    {
        Assert.Equal(expected, HexOfHash(type, bucket, key, bucketOnly: false));
    }

    [Theory]
    [InlineData("default", "foo", "bar", 19)]
    [InlineData("default", "favorite", "jethrotull", 34)]
    [InlineData("default", "mybucket", "mykey", 31)]
    [InlineData("mytype", "mybucket", "mykey", 32)]
    public void FirstPartition_OfKnownKey_IsRiaks(string type, string bucket, string key, int partition)
    {
        Assert.Equal(new PartitionId(partition), RingHash.FirstPartition(new ObjectKey(type, bucket, key), Standard, 64));
    }

    [Theory]
    [InlineData(1, 8, "182687704666362864775460604089535377456991567872")]
    [InlineData(1, 64, "22835963083295358096932575511191922182123945984")]
    [InlineData(1, 256, "5708990770823839524233143877797980545530986496")]
    [InlineData(1, 1024, "1427247692705959881058285969449495136382746624")]
    [InlineData(19, 64, "433883298582611803841718934712646521460354973696")]
    public void Index_OfAPartition_IsRiaksBigInteger(int partition, int ringSize, string index)
    {
        Assert.Equal(index, new PartitionId(partition).Index(ringSize).ToString(null, null));
    }

    [Fact]
    public void PreferenceList_OfRiaksTestRing_IsTheThreePartitionsAfterTheSlot()
    {
        var node = new NodeId(1);
        var owners = Enumerable.Repeat(node, 64).ToImmutableArray();
        var first = RingHash.FirstPartition(new ObjectKey("default", "favorite", "jethrotull"), Standard, 64);
        var list = PreferenceList.Compute(new Ring(owners, owners), first, 3, new HashSet<NodeId> { node });
        Assert.Equal([34, 35, 36], list.Select(entry => entry.Partition.Number));
    }

    [Fact]
    public void FirstPartition_WithBucketOnlyKeyFun_IsTheSameForAllKeysOfABucket()
    {
        var first = RingHash.FirstPartition(new ObjectKey("default", "b", "k1"), BucketOnly, 1024);
        Assert.Equal(first, RingHash.FirstPartition(new ObjectKey("default", "b", "k2"), BucketOnly, 1024));

        // SHA-1 of 83 6D 00000001 62, and of 83 68 02 6D 00000001 74 6D 00000001 62.
        Assert.Equal(Sha1Hex("836d0000000162"), HexOfHash("default", "b", "k1", bucketOnly: true));
        Assert.Equal(Sha1Hex("8368026d00000001746d0000000162"), HexOfHash("t", "b", "k1", bucketOnly: true));
    }

    [Fact]
    public void Hash_OfLongNames_IsTheSameArithmetic()
    {
        var key = new string('k', 3000);
        var term = "8368026d0000000162" + "6d00000bb8" + Convert.ToHexString(Encoding.UTF8.GetBytes(key));
        Assert.Equal(Sha1Hex(term), HexOfHash("default", "b", key, bucketOnly: false));
    }

    [Theory]
    [InlineData("0000", 8, 1)]
    [InlineData("1fff", 8, 1)]
    [InlineData("2000", 8, 2)]
    [InlineData("ffff", 8, 0)]
    [InlineData("ffff", 1024, 0)]
    [InlineData("ffbf", 1024, 1023)]
    public void PartitionAfter_IsStrictlyAfterTheSlot_AndWrapsAround(string leadingBytes, int ringSize, int partition)
    {
        var hash = Convert.FromHexString(leadingBytes + new string('0', 36));
        Assert.Equal(new PartitionId(partition), RingHash.PartitionAfter(hash, ringSize));
    }

    private static string HexOfHash(string type, string bucket, string key, bool bucketOnly)
    {
        Span<byte> hash = stackalloc byte[RingHash.HashBytes];
        RingHash.Hash(type, Encoding.UTF8.GetBytes(bucket), Encoding.UTF8.GetBytes(key), bucketOnly, hash);
        return Convert.ToHexStringLower(hash);
    }

    private static string Sha1Hex(string termHex) =>
#pragma warning disable CA5350 // Riak's placement is SHA-1's output.
        Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(Convert.FromHexString(termHex)));
#pragma warning restore CA5350
}
