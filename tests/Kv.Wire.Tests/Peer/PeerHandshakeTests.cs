using System.Buffers.Binary;
using System.Net;
using Kv.Core.Rings;
using Kv.Wire.Peer;
using Xunit;

namespace Kv.Wire.Tests.Peer;

/// <summary>What a caller that has not said who it is can make a node do.</summary>
public sealed class PeerHandshakeTests
{
    [Fact]
    public async Task FirstFrameThatIsTooLong_IsRefused_BeforeItIsGathered()
    {
        var options = new PeerTransportOptions { HandshakeTimeout = TimeSpan.FromMinutes(5) };
        await using var server = await PeerServer.StartAsync(new NodeId(0xb0b), Guid.NewGuid(), new PeerHandlers((_, _, _) => throw new InvalidOperationException()), options);
        var sent = new byte[5000];
        BinaryPrimitives.WriteInt32BigEndian(sent.AsSpan(1), PeerFrame.HeaderBytes + PeerFrame.MaxHelloBytes + 1);
        using var http = new HttpClient();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));

        // Not all of what it promises: who waits for the rest waits in vain.
        using var content = new Unfinished(sent[..100]);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{server.Address}/{PeerMethods.Service}/{PeerMethods.Requests.Name}")
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        var welcome = await response.Content.ReadAsByteArrayAsync(limit.Token);
        var (read, _) = PeerWelcome.Decode(PeerFrame.Decode(new(welcome.AsMemory(5))));
        Assert.Equal("a handshake that is too long", read!.Refusal);
    }

    private sealed class Unfinished(byte[] first) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(first, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
