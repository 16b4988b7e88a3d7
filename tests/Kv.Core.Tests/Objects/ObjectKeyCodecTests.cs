using CsCheck;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.Objects;

public sealed class ObjectKeyCodecTests
{
    // Bytes around the separators, so that they collide.
    private static readonly Gen<byte[]> Name = ObjectGen.AnyOf<byte>(0, 1, 2, 97, 255).Array[1, 5];
    private static readonly Gen<ObjectKey> Key =
        Gen.Select(ObjectGen.AnyOf("default", "a", "ab", "ä"), Name, Name).Select((type, bucket, key) => new ObjectKey(type, bucket, key));

    [Fact]
    public void AnyName_ComesBackAsItWas() => Key.Sample(key =>
    {
        Assert.True(ObjectKeyCodec.TryDecode(key.Encoded, out var decoded));
        Assert.Equal(key, decoded);
        Assert.Equal(key.Encoded.ToArray(), decoded.Encoded.ToArray());
    });

    [Fact]
    public void Order_IsThatOfTypeBucketAndKey() => Gen.Select(Key, Key).Sample((a, b) =>
    {
        var byName = string.CompareOrdinal(a.BucketType, b.BucketType);
        byName = byName != 0 ? byName : a.Bucket.Span.SequenceCompareTo(b.Bucket.Span);
        byName = byName != 0 ? byName : a.Key.Span.SequenceCompareTo(b.Key.Span);
        Assert.Equal(Math.Sign(byName), Math.Sign(a.Encoded.Span.SequenceCompareTo(b.Encoded.Span)));
    });

    [Fact]
    public void Prefix_IsOfTheBucketsOwnKeysAlone() => Gen.Select(Key, Key).Sample((a, b) =>
    {
        var sameBucket = a.BucketType == b.BucketType && a.Bucket.Span.SequenceEqual(b.Bucket.Span);
        Assert.Equal(sameBucket, b.Encoded.Span.StartsWith(ObjectKeyCodec.BucketPrefix(new BucketName(a.BucketType, a.Bucket))));
        Assert.Equal(a.BucketType == b.BucketType, b.Encoded.Span.StartsWith(ObjectKeyCodec.TypePrefix(a.BucketType)));
    });

    [Fact]
    public void AnyBytes_AreReadOrRefused_AndWhatIsReadIsWrittenTheSame() =>
        ObjectGen.AnyOf<byte>(0, 1, 2, 97, 255).Array[0, 12].Sample(bytes =>
        {
            if (ObjectKeyCodec.TryDecode(bytes, out var key))
            {
                Assert.True(key.IsValid(out var reason), reason);
                Assert.Equal(bytes, key.Encoded.ToArray());
            }
        });

    [Fact]
    public void LongestNames_FitTheBound()
    {
        var longest = new ObjectKey(new string('t', ObjectKey.MaxTypeBytes), new byte[ObjectKey.MaxBucketBytes], new byte[ObjectKey.MaxKeyBytes]);
        Assert.True(longest.IsValid(out _));
        Assert.Equal(ObjectKeyCodec.MaxBytes, longest.Encoded.Length);
        Assert.True(ObjectKeyCodec.TryDecode(longest.Encoded, out var decoded));
        Assert.Equal(longest, decoded);
    }

    [Theory]
    [InlineData(0, 1, 1, "the bucket type is empty")]
    [InlineData(256, 1, 1, "the bucket type has 256 bytes; the most is 255")]
    [InlineData(1, 0, 1, "the bucket is empty")]
    [InlineData(1, 65536, 1, "the bucket has 65536 bytes; the most is 65535")]
    [InlineData(1, 1, 0, "the key is empty")]
    [InlineData(1, 1, 65537, "the key has 65537 bytes; the most is 65536")]
    public void BadNames_AreRefused(int typeBytes, int bucketBytes, int keyBytes, string expected)
    {
        var key = new ObjectKey(new string('t', typeBytes), new byte[bucketBytes], new byte[keyBytes]);
        Assert.False(key.IsValid(out var reason));
        Assert.Equal(expected, reason);
        Assert.Throws<ArgumentException>(() => key.Encoded);
    }
}
