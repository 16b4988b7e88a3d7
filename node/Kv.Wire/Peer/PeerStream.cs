using System.Globalization;
using System.Net;
using System.Net.Security;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Cluster.Peers;
using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// An open stream to a peer after its handshake. Each has a channel of its own, so that a lane is a connection: bulk never shares
/// one with requests, and a stream that is opened anew never meets the old one's remains.
/// </summary>
internal sealed class PeerStream : IAsyncDisposable
{
    private readonly GrpcChannel channel;
    private readonly AsyncDuplexStreamingCall<PeerFrame, PeerFrame> call;
    private readonly CancellationTokenSource cancel;

    private PeerStream(GrpcChannel channel, AsyncDuplexStreamingCall<PeerFrame, PeerFrame> call, CancellationTokenSource cancel) =>
        (this.channel, this.call, this.cancel) = (channel, call, cancel);

    /// <summary>Why the peer will not serve, or why this is not the peer that was meant; null where all is well.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The version that both agreed on.</summary>
    public byte Version { get; private set; }

    public string EndReason { get; private set; } = "the peer closed the stream";

    public bool IsAborted => cancel.IsCancellationRequested;

    /// <summary>Connects and shakes hands, both within their time.</summary>
    public static async Task<PeerStream> OpenAsync(PeerLinkContext context, NodeId expected, string address, PeerLane lane, CancellationToken cancel)
    {
        var channel = OpenChannel(context.Options, address, context.Tls?.ToPeer());
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var call = new PeerStream(
            channel, channel.CreateCallInvoker().AsyncDuplexStreamingCall(PeerMethods.Of(lane), null, new CallOptions(cancellationToken: source.Token)), source);
        try
        {
            using var limit = new CancellationTokenSource(context.Options.ConnectTimeout + context.Options.HandshakeTimeout, context.Time);
            using var registration = limit.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), source);
            await call.ShakeHandsAsync(context, expected);
            return call;
        }
        catch
        {
            await call.DisposeAsync();
            throw;
        }
    }

    public static string Explain(Exception e) => e switch
    {
        RpcException { InnerException: { } inner } => Explain(inner),
        RpcException rpc => rpc.Status.Detail,
        HttpRequestException { InnerException: { } inner } => Explain(inner),
        OperationCanceledException => "timed out or closed",
        _ => e.Message,
    };

    /// <summary>False where the stream has ended.</summary>
    public async ValueTask<bool> TryWriteAsync(PeerFrame frame)
    {
        try
        {
            await call.RequestStream.WriteAsync(frame, cancel.Token);
            return true;
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The reader sees the same end and tells why.
            return false;
        }
    }

    /// <summary>The next frame, or null where the stream has ended.</summary>
    public async ValueTask<PeerFrame?> ReadAsync()
    {
        try
        {
            return await call.ResponseStream.MoveNext(cancel.Token) ? call.ResponseStream.Current : null;
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            EndReason = Explain(e);
            return null;
        }
    }

    public void Abort() => cancel.Cancel();

    public async ValueTask DisposeAsync()
    {
        await cancel.CancelAsync();
        call.Dispose();
        channel.Dispose();
        cancel.Dispose();
    }

    private static GrpcChannel OpenChannel(PeerTransportOptions options, string address, SslClientAuthenticationOptions? tls)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = options.StreamWindowBytes,
            KeepAlivePingDelay = options.KeepAlive,
            KeepAlivePingTimeout = options.KeepAliveTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        };
        if (tls is not null)
        {
            handler.SslOptions = tls;
        }

        return GrpcChannel.ForAddress((tls is null ? "http://" : "https://") + address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            HttpVersion = HttpVersion.Version20,
            MaxReceiveMessageSize = options.MaxMessageBytes + options.FrameBytes + PeerFrame.HeaderBytes,
            MaxSendMessageSize = null,
            ThrowOperationCanceledOnCancellation = true,
        });
    }

    private async Task ShakeHandsAsync(PeerLinkContext context, NodeId expected)
    {
        var cluster = expected == NodeId.None ? Guid.Empty : context.Identity.ClusterId() ?? Guid.Empty;
        using var writer = new WireWriter(256);
        await call.RequestStream.WriteAsync(PeerHello.Encode(new PeerHello(context.Identity.Self, expected, cluster) { Versions = context.Options.Versions }, writer), cancel.Token);
        if (!await call.ResponseStream.MoveNext(cancel.Token))
        {
            throw new IOException("the peer closed the stream before its welcome");
        }

        var (welcome, problem) = PeerWelcome.Decode(call.ResponseStream.Current);
        Version = welcome?.Version ?? 0;
        Refusal = welcome switch
        {
            null => "unreadable_welcome: " + problem,
            { Refusal: { } reason } => reason,
            _ when !context.Options.Versions.Includes(welcome.Version) => string.Create(
                CultureInfo.InvariantCulture, $"unknown_version: node {welcome.Node} speaks peer protocol version {welcome.Version}, this node {context.Options.Versions}"),
            _ when expected != NodeId.None && welcome.Node != expected => string.Create(
                CultureInfo.InvariantCulture, $"wrong_node: node {welcome.Node} answers where {expected} is expected"),
            _ when cluster != Guid.Empty && welcome.ClusterId != Guid.Empty && welcome.ClusterId != cluster => string.Create(
                CultureInfo.InvariantCulture, $"wrong_cluster: the peer is in cluster {welcome.ClusterId}, this node in {cluster}"),
            _ => null,
        };
    }
}
