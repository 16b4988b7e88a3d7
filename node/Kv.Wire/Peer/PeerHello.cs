using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// The first frame of a stream: who asks, of which cluster, and whom it means to ask. <paramref name="ClusterId"/> is empty and
/// <paramref name="Expected"/> is none where a node is met by its address, before both are in one cluster.
/// <code>
/// from u64 | expected u64 | cluster id 16 bytes
/// </code>
/// </summary>
public sealed record PeerHello(NodeId From, NodeId Expected, Guid ClusterId)
{
    /// <summary>What the caller speaks; in the frame's header.</summary>
    public PeerVersions Versions { get; init; } = PeerVersions.Spoken;

    public static PeerFrame Encode(PeerHello hello, WireWriter writer)
    {
        PeerFrame.Begin(writer, PeerFrameKind.Hello, hello.Versions.Newest);
        writer.U64(hello.From.Value);
        writer.U64(hello.Expected.Value);
        writer.Id(hello.ClusterId);
        return PeerFrame.Finish(writer, hello.Versions.Oldest);
    }

    /// <summary>Null with the reason where the frame is no hello.</summary>
    public static (PeerHello? Hello, string? Problem) Decode(PeerFrame frame)
    {
        if (frame.Problem is not null || frame.Kind != PeerFrameKind.Hello)
        {
            return (null, frame.Problem ?? "the first frame is not a hello");
        }

        var reader = new WireReader(frame.Body);
        var hello = new PeerHello(new NodeId(reader.U64()), new NodeId(reader.U64()), reader.Id())
        {
            // Before there was an oldest version to tell, a node spoke one alone.
            Versions = new PeerVersions(frame.OldestVersion == 0 ? frame.Version : frame.OldestVersion, frame.Version),
        };
        reader.End();
        return reader.Failed ? (null, reader.Problem) : (hello, null);
    }
}
