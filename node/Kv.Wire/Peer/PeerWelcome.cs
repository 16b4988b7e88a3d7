using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// The answer to a <see cref="PeerHello"/>: who answers. <paramref name="Refusal"/> says why the stream will not be served and is null where it will.
/// <code>
/// node u64 | cluster id 16 bytes | refused u8 | reason (length u32, UTF-8)
/// </code>
/// </summary>
public sealed record PeerWelcome(NodeId Node, Guid ClusterId, string? Refusal)
{
    /// <summary>The version that the stream speaks from here on; in the frame's header.</summary>
    public byte Version { get; init; } = PeerVersions.Spoken.Newest;

    public static PeerFrame Encode(PeerWelcome welcome, WireWriter writer)
    {
        PeerFrame.Begin(writer, PeerFrameKind.Welcome, welcome.Version);
        writer.U64(welcome.Node.Value);
        writer.Id(welcome.ClusterId);
        writer.Flag(welcome.Refusal is not null);
        writer.Text(welcome.Refusal ?? "");
        return PeerFrame.Finish(writer, 0);
    }

    public static (PeerWelcome? Welcome, string? Problem) Decode(PeerFrame frame)
    {
        if (frame.Problem is not null || frame.Kind != PeerFrameKind.Welcome)
        {
            return (null, frame.Problem ?? "the first answer is not a welcome");
        }

        var reader = new WireReader(frame.Body);
        var (node, cluster, refused, reason) = (new NodeId(reader.U64()), reader.Id(), reader.Flag(), reader.Text());
        reader.End();
        return reader.Failed ? (null, reader.Problem) : (new PeerWelcome(node, cluster, refused ? reason : null) { Version = frame.Version }, null);
    }
}
