using System.Globalization;
using Grpc.Core;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Peer;

/// <summary>
/// The receiving end of <see cref="GrpcPeerTransport"/>: reads frames, hands each request to the <see cref="IPeerHandler"/> without waiting for the one
/// before, and sends back whatever is answered, in any order, many to a frame.
/// </summary>
public sealed partial class PeerService(
    PeerIdentity identity,
    IPeerHandler handler,
    PeerTransportOptions options,
    RequestMemory memory,
    TimeProvider time,
    ILogger<PeerService> logger) : IDisposable
{
    private const string WrongNode = "wrong_node";
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Whether a stream was refused because another node listens where the called one did: it came back with an empty volume, or moved.</summary>
    public static bool IsOtherNode(string refusal) => refusal.StartsWith(WrongNode, StringComparison.Ordinal);

    /// <summary>Ends all streams: a stream does not end by itself, and a server that stops waits for its streams.</summary>
    public void Stop() => stopping.Cancel();

    public void Dispose() => stopping.Dispose();

    /// <summary>Serves one stream until it ends.</summary>
    public async Task ServeAsync(IAsyncStreamReader<PeerFrame> reader, IServerStreamWriter<PeerFrame> writer, ServerCallContext call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, stopping.Token);
        try
        {
            var hello = await ReadHelloAsync(CallBody.Of(call.GetHttpContext()), reader, writer, ending.Token);
            if (hello is not null)
            {
                var stream = new InboundStream(hello.Value.Hello, hello.Value.Version, handler, options, memory, time, logger);
                await stream.ServeAsync(reader, writer, ending);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The peer hung up, or this node stops: there is nobody to tell.
            LogEnded(call.Peer, e.Message);
        }
    }

    /// <summary>Reads the handshake and answers it, with the version to speak; null where the stream is refused.</summary>
    private async Task<(PeerHello Hello, byte Version)?> ReadHelloAsync(
        CallBody body, IAsyncStreamReader<PeerFrame> reader, IServerStreamWriter<PeerFrame> writer, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(options.HandshakeTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        var isTooLong = await body.PrefixAsync(both.Token) is { MessageBytes: > PeerFrame.HeaderBytes + PeerFrame.MaxHelloBytes };
        if (!isTooLong && !await reader.MoveNext(both.Token))
        {
            return null;
        }

        var (hello, problem) = isTooLong ? (null, PeerFrame.HandshakeTooLong) : PeerHello.Decode(reader.Current);
        var cluster = identity.ClusterId() ?? Guid.Empty;
        var version = hello is null ? null : options.Versions.Agree(hello.Versions);
        var refusal = problem ?? Refuse(hello!, version, cluster);
        using var buffer = new WireWriter(256);
        var welcome = new PeerWelcome(identity.Self, cluster, refusal) { Version = version ?? options.Versions.Newest };
        await writer.WriteAsync(PeerWelcome.Encode(welcome, buffer), cancel);
        if (refusal is not null)
        {
            LogRefused(hello?.From ?? NodeId.None, refusal);
            return null;
        }

        return (hello!, version!.Value);
    }

    private string? Refuse(PeerHello hello, byte? version, Guid cluster)
    {
        if (version is null)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"unknown_version: node {hello.From} speaks peer protocol version {hello.Versions}, node {identity.Self} {options.Versions}");
        }

        if (hello.From == identity.Self)
        {
            return string.Create(CultureInfo.InvariantCulture, $"same_node: this is node {identity.Self} too: a volume was copied, or a node calls itself");
        }

        if (hello.From == NodeId.None)
        {
            return "no_node: the caller does not say which node it is";
        }

        if (hello.Expected != NodeId.None && hello.Expected != identity.Self)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{WrongNode}: this is node {identity.Self}, not {hello.Expected}");
        }

        return hello.ClusterId != Guid.Empty && cluster != Guid.Empty && hello.ClusterId != cluster
            ? string.Create(CultureInfo.InvariantCulture, $"wrong_cluster: this node is in cluster {cluster}, the caller in {hello.ClusterId}")
            : null;
    }

    [LoggerMessage(2211, LogLevel.Debug, "peer stream from {Peer} ended: {Reason}")]
    private partial void LogEnded(string peer, string reason);

    [LoggerMessage(2212, LogLevel.Warning, "peer stream of node {Node} refused: {Reason}")]
    private partial void LogRefused(NodeId node, string reason);
}
