using Grpc.Core;
using Kv.Cluster.Peers;

namespace Kv.Wire.Peer;

/// <summary>The two methods of the gRPC service `kv.peer.v1.Peer`. Both are duplex streams of <see cref="PeerFrame"/>; they differ in what goes over them.</summary>
public static class PeerMethods
{
    public const string Service = "kv.peer.v1.Peer";

    public static Method<PeerFrame, PeerFrame> Requests { get; } =
        new(MethodType.DuplexStreaming, Service, "Requests", PeerFrame.Marshaller, PeerFrame.Marshaller);

    public static Method<PeerFrame, PeerFrame> Bulk { get; } =
        new(MethodType.DuplexStreaming, Service, "Bulk", PeerFrame.Marshaller, PeerFrame.Marshaller);

    public static Method<PeerFrame, PeerFrame> Of(PeerLane lane) => lane == PeerLane.Bulk ? Bulk : Requests;
}
