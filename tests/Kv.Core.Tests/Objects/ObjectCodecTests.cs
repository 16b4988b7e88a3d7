using CsCheck;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Objects;

public sealed class ObjectCodecTests
{
    // The format on disk and between nodes: if this fails, nodes of two versions no longer understand each other. A new version gets a new line.
    private const string Golden =
        "4B4F01008200000002887766554433221105020780E2CFAA0600FFEEDDCCBBAA993FAC02C0843D81E2CFAA060300020000050001015401000000000000000000037A0580898182838985060534587251"
        + "7400070A746578742F706C61696E057574662D3804677A6970010162016B017401046E616D65077765727420C3A401076167655F696E7402333000FF76616C7565";

    [Fact]
    public void Golden_IsWrittenAndReadAsEver()
    {
        var source = GoldenObject();
        Assert.Equal(Golden, Convert.ToHexString(ObjectCodec.Encode(source)));
        Assert.Equal(source, ObjectCodec.Decode(Convert.FromHexString(Golden)));
    }

    [Fact]
    public void AnyObject_ComesBackAsItWas() => ObjectGen.Object.Sample(source =>
    {
        var stored = ObjectCodec.Encode(source);
        Assert.True(ObjectCodec.TryDecode(stored, out var decoded, out var failure), failure.ToString());
        Assert.Equal(source, decoded);
        Assert.Equal(source.Clock, ObjectCodec.PeekClock(stored));
        Assert.False(ObjectCodec.IsHead(stored));
        Assert.Equal(source.IsTombstone, ObjectCodec.IsTombstone(stored));
    });

    [Fact]
    public void Head_IsTheSameHoweverMade_AndTheSameStateAsTheWhole() => ObjectGen.Object.Sample(source =>
    {
        var stored = ObjectCodec.Encode(source);
        var head = ObjectCodec.ToHead(stored);
        Assert.Equal(ObjectCodec.EncodeHead(source), head);
        Assert.Equal(ObjectCodec.Encode(source.ToHead()).AsSpan(4), head.AsSpan(4));
        var decoded = ObjectCodec.Decode(head);
        Assert.True(decoded.IsSameAs(source));
        Assert.Equal(source.Siblings.Select(sibling => sibling.ValueBytes), decoded.Siblings.Select(sibling => sibling.ValueBytes));
        Assert.All(decoded.Siblings, sibling => Assert.True(sibling.Value.IsEmpty));
    });

    [Fact]
    public void Values_AreSlicesOfTheStoredBytes()
    {
        var stored = ObjectCodec.Encode(KvObject.Create(VersionVector.Empty, [ObjectGen.Content("payload")]));
        var decoded = ObjectCodec.Decode(stored);
        stored[^1] = (byte)'!';
        Assert.Equal("payloa!"u8.ToArray(), decoded.Siblings[0].Value.ToArray());
    }

    [Fact]
    public void AnyCut_IsRefusedWithAReason()
    {
        var stored = ObjectCodec.Encode(GoldenObject());
        for (var length = 0; length < stored.Length; length++)
        {
            Assert.False(ObjectCodec.TryDecode(stored.AsMemory(0, length), out _, out var failure));
            Assert.NotEmpty(failure.Reason);
            Assert.InRange(failure.Offset, 0, length);
        }

        Assert.False(ObjectCodec.TryDecode(stored.Append((byte)0).ToArray(), out _, out _));
        Assert.Throws<InvalidDataException>(() => ObjectCodec.Decode(stored.AsMemory(0, 20)));
    }

    [Fact]
    public void DamagedBytes_AreReadOrRefused_NeverThrow() =>
        Gen.Select(ObjectGen.Object, Gen.Select(Gen.Int[0, 100_000], Gen.Byte).Array[1, 4]).Sample((source, damage) =>
        {
            var stored = ObjectCodec.Encode(source);
            foreach (var (at, value) in damage)
            {
                stored[at % stored.Length] = value;
            }

            Assert.Equal(ObjectCodec.TryDecode(stored, out _, out var failure), failure.Reason is null);
        });

    [Fact]
    public void UnknownVersionAndForm_AreNamed()
    {
        var stored = ObjectCodec.Encode(GoldenObject());
        stored[2] = 7;
        Assert.False(ObjectCodec.TryDecode(stored, out _, out var version));
        Assert.Contains("version 7", version.Reason, StringComparison.Ordinal);
        stored[2] = 1;
        stored[3] = 5;
        Assert.False(ObjectCodec.TryDecode(stored, out _, out var form));
        Assert.Equal(3, form.Offset);
    }

    // A count of two thousand million siblings in a few bytes must not be believed.
    [Fact]
    public void HugeCounts_AreRefusedBeforeMemoryIsTaken()
    {
        byte[] stored = [(byte)'K', (byte)'O', 1, 0, 6, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
        Assert.False(ObjectCodec.TryDecode(stored, out _, out var failure));
        Assert.Equal(9, failure.Offset);
        stored[8] = 0x7F;
        Assert.False(ObjectCodec.TryDecode(stored, out _, out _));
    }

    private static KvObject GoldenObject()
    {
        var a = new ActorId(new NodeId(0x1122334455667788), new PartitionId(5), 2);
        var b = new ActorId(new NodeId(0x99AABBCCDDEEFF00), new PartitionId(63), 300);
        var clock = VersionVector.FromEntries([new(a, 7, 1_700_000_000), new(b, 1_000_000, 1_700_000_001)]);
        var whole = new Sibling
        {
            Dot = new Dot(a, 7),
            Value = "value"u8.ToArray(),
            Metadata = new ObjectMetadata
            {
                ContentType = "text/plain",
                Charset = "utf-8",
                ContentEncoding = "gzip",
                Links = [new Link("b", "k", "t")],
                UserMetadata = [new("name", "wert ä")],
                Indexes = [new("age_int", "30")],
            },
            LastModifiedMicroseconds = 1_700_000_000_123_456,
            VTag = "4XrQt",
        };
        var deleted = new Sibling { Dot = new Dot(new ActorId(new NodeId(1), new PartitionId(0), 0), 3), IsTombstone = true, LastModifiedMicroseconds = -1, VTag = "T" };
        var undotted = new Sibling { Dot = null, Value = new byte[] { 0, 255 } };
        return KvObject.Create(clock, [whole, deleted, undotted]);
    }
}
