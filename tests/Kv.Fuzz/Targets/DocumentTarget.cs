using Kv.Core.Membership;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>The cluster document, changes of it, and what an acceptor keeps: the JSON that nodes send each other and their disks hold.</summary>
internal sealed class DocumentTarget : FuzzTarget
{
    public override string Name => "document";

    /// <summary>An assigned ring has two owners for each partition, however it is written.</summary>
    public override long FixedBytes => 1024 * 1024;

    public override long BytesPerByte => 2048;

    public override int MostBytes => 16 * 1024;

    public override IReadOnlyList<string> Words => ["\"change\":\"", "\"member\":{", "\"node\":\"", "\"partitions\":[", "\"version\":", "\"owners\":", "null", "{}", "[]", "-1", "1e99", "\\ud800"];

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var documents = Resources.Names("documents/").Select(Resources.Bytes).ToList();
            var self = new Core.Rings.NodeId(1);
            var document = ClusterDocumentCodec.Decode(documents[0]);
            return
            [
                .. documents,
                DocumentChangeCodec.Encode(new DocumentChange.MarkDown(self)),
                DocumentChangeCodec.Encode(new DocumentChange.StageJoin(document.Members[0])),
                DocumentChangeCodec.Encode(new DocumentChange.UpdateBucketType("t", Core.Buckets.BucketProps.NewType)),
                DocumentChangeCodec.Encode(new DocumentChange.CommitPlan("plan")),
                AcceptorStateCodec.Encode(new AcceptorState(5, new Ballot(2, self), new Ballot(1, self), document) { ClusterId = document.ClusterId }),
            ];
        }
    }

    public override void Take(byte[] input)
    {
        if (ClusterDocumentCodec.TryDecode(input, out var document, out _))
        {
            var encoded = ClusterDocumentCodec.Encode(document);
            FuzzFailure.UnlessSame(encoded, ClusterDocumentCodec.Encode(ClusterDocumentCodec.Decode(encoded)), "a document");
        }

        if (DocumentChangeCodec.TryDecode(input, out var change, out _))
        {
            var encoded = DocumentChangeCodec.Encode(change);
            FuzzFailure.UnlessSame(encoded, DocumentChangeCodec.Encode(DocumentChangeCodec.Decode(encoded)), "a change");
        }

        try
        {
            var encoded = AcceptorStateCodec.Encode(AcceptorStateCodec.Decode(input));
            FuzzFailure.UnlessSame(encoded, AcceptorStateCodec.Encode(AcceptorStateCodec.Decode(encoded)), "an acceptor's state");
        }
        catch (DocumentFormatException)
        {
            // What is none is refused so.
        }
    }
}
