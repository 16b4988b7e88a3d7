using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Xunit;
using static Kv.Core.Tests.Membership.DocumentSamples;

namespace Kv.Core.Tests.Membership;

/// <summary>The formats of documents, changes and acceptor states: round trips, damage, and golden files.</summary>
public sealed class CodecTests
{
    [Fact]
    public void Document_EncodedAndDecoded_IsTheSameBytes()
    {
        GenDocument.Sample(document =>
        {
            var bytes = ClusterDocumentCodec.Encode(document);
            var decoded = ClusterDocumentCodec.Decode(bytes);
            Assert.Equal(bytes, ClusterDocumentCodec.Encode(decoded));
            Assert.Equal(document.Ring.Owners, decoded.Ring.Owners);
            Assert.Equal(document.Ring.NextOwners, decoded.Ring.NextOwners);
            Assert.Equal(document.Staged, decoded.Staged);
            Assert.Equal(document.Ring.Rebuilding, decoded.Ring.Rebuilding);
            Assert.Equal(document.Ring.PlannedAt, decoded.Ring.PlannedAt);
            Assert.Equal(document.Version, decoded.Version);
            Assert.Equal(document.BucketTypes.Keys, decoded.BucketTypes.Keys);
            Assert.Equal(document.Buckets.Keys, decoded.Buckets.Keys);
        });
    }

    [Fact]
    public void Change_EncodedAndDecoded_IsTheSameBytes()
    {
        GenChange.Where(c => c is not DocumentChange.CompleteTransfers { Transfers.IsDefault: true }).Sample(change =>
        {
            var bytes = DocumentChangeCodec.Encode(change);
            var decoded = DocumentChangeCodec.Decode(bytes);
            Assert.IsType(change.GetType(), decoded);
            Assert.Equal(bytes, DocumentChangeCodec.Encode(decoded));
        });
    }

    [Fact]
    public void AcceptorState_EncodedAndDecoded_IsTheSame()
    {
        Gen.Select(Gen.Long[0, 1000], Gen.Long[0, 50], GenDocument, Gen.Bool).Sample((version, round, document, accepted) =>
        {
            var state = new AcceptorState(version, new Ballot(round + 1, Id(2)), accepted ? new Ballot(round, Id(1)) : Ballot.Zero, accepted ? document : null);
            var bytes = AcceptorStateCodec.Encode(state);
            var decoded = AcceptorStateCodec.Decode(bytes);
            Assert.Equal(state with { Accepted = null }, decoded with { Accepted = null });
            Assert.Equal(bytes, AcceptorStateCodec.Encode(decoded));
        });
    }

    [Fact]
    public void Decode_OfUnknownVersion_NamesItsNumber()
    {
        var bytes = ClusterDocumentCodec.Encode(Single());
        bytes[0] = 99;
        Assert.False(ClusterDocumentCodec.TryDecode(bytes, out _, out var reason));
        Assert.Contains("99", reason, StringComparison.Ordinal);
        Assert.Contains("99", Assert.Throws<DocumentFormatException>(() => DocumentChangeCodec.Decode(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_OfDamagedBytes_NeverThrowsAnythingElse()
    {
        Gen.Select(GenDocument, Gen.Int, Gen.Byte, Gen.Int[0, 2]).Sample((document, at, value, how) =>
        {
            var bytes = ClusterDocumentCodec.Encode(document);
            at = (int)((uint)at % bytes.Length);
            switch (how)
            {
                case 0:
                    bytes[at] = value;
                    break;
                case 1:
                    bytes = bytes[..at];
                    break;
                default:
                    bytes[at] = (byte)"0123456789[]{}:,\""[value % 17];
                    break;
            }

            if (ClusterDocumentCodec.TryDecode(bytes, out var decoded, out var reason))
            {
                Assert.Null(DocumentRules.WhyBroken(decoded));
            }
            else
            {
                Assert.NotEmpty(reason);
            }
        });
    }

    [Fact]
    public void Decode_OfADocumentThatBreaksALaw_SaysWhich()
    {
        var text = Encoding.UTF8.GetString(ClusterDocumentCodec.Encode(Single()).AsSpan(1)).Replace("\"state\":1", "\"state\":0", StringComparison.Ordinal);
        Assert.False(ClusterDocumentCodec.TryDecode((byte[])[1, .. Encoding.UTF8.GetBytes(text)], out _, out var reason));
        Assert.Contains("partition 0", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Document_OfVersion1_IsReadAndWrittenAsTheGoldenFile()
    {
        var golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Membership", "Golden", "cluster-document-v1.bin"));
        Assert.Equal(golden, ClusterDocumentCodec.Encode(ClusterDocumentCodec.Decode(golden)));
        Assert.Equal(Encoding.UTF8.GetString(golden), Encoding.UTF8.GetString(ClusterDocumentCodec.Encode(GoldenDocument())));
    }

    [Fact]
    public void Document_OfTheMostMembersAndTheLargestRing_IsSmall()
    {
        var document = Single(1024);
        for (var number = 2; number <= 40; number++)
        {
            document = Change(document, new DocumentChange.StageJoin(Node(number)));
        }

        Assert.InRange(ClusterDocumentCodec.Encode(document).Length, 1, 32 * 1024);
    }

    private static ClusterDocument GoldenDocument()
    {
        var document = Single(8);
        document = Commit(Change(Change(document, new DocumentChange.StageJoin(Node(2, "z1"))), new DocumentChange.StageJoin(Node(3, "z2"))));

        // Owners by hand: the golden file pins a format, not the claim.
        var owners = new[] { 1, 1, 1, 1, 1, 1, 1, 1 }.Select(Id).ToImmutableArray();
        var next = new[] { 1, 2, 3, 1, 2, 3, 1, 2 }.Select(Id).ToImmutableArray();
        document = document with { Ring = new Kv.Core.Rings.Ring(owners, next), LastCommittedPlanId = "00112233aabbccdd" };
        document = Change(document, new DocumentChange.StageLeave(Id(2)));
        document = Change(document, new DocumentChange.StageJoin(Node(4)));
        document = Change(document, new DocumentChange.CreateBucketType("maps", BucketProps.NewType with { Backend = "memory" }));

        // A bucket with an n_val of its own, which no change makes any more.
        var bucket = KeyValuePair.Create(new BucketName("default", new byte[] { 0, 255 }), BucketProps.DefaultType with { NVal = 5 });
        return document with { Version = document.Version + 1, Buckets = document.Buckets.Add(bucket.Key, bucket.Value) };
    }
}
