using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Wire.Access;
using Kv.Wire.Native;
using Kv.Wire.Tests.Riak;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>What a client's calls hold of the node's memory, over a real loopback socket.</summary>
public sealed class NativeMemoryTests : IAsyncLifetime
{
    private const int DeadlineExceeded = 4;

    private readonly RequestMemory memory = new(90 * 1024 * 1024, TimeProvider.System);
    private readonly HttpClient http = new();
    private LoneNode alone = null!;
    private KvService service = null!;
    private WebApplication app = null!;

    public async ValueTask InitializeAsync()
    {
        alone = await LoneNode.StartAsync();
        var options = NativeOptions.For(memory.MaxObjectBytes) with { StallTimeout = TimeSpan.FromMilliseconds(100), SessionRequests = 8 };
        var access = new AccessControl(alone.Node.State, [], NullLogger<AccessControl>.Instance);
        service = new KvService(alone.Node.Client, alone.Node.State, new RingView(alone.Node.State), options, memory, access, TimeProvider.System, NullLogger<KvService>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.ApplyNativeLimits(options, 100);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddKvService(service, options, access);
        app = builder.Build();
        app.MapKvService(memory, options);
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        service.Stop();
        await app.DisposeAsync();
        service.Dispose();
        await alone.DisposeAsync();
    }

    [Theory]
    [InlineData("Put")]
    [InlineData("Session")]
    public async Task MessageThatRests_EndsItsCall_AndGivesItsRoomBack(string method)
    {
        using var content = new SlowContent(Prefix((int)memory.MaxObjectBytes));
        using var response = await CallAsync(method, content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(DeadlineExceeded, Status(response));
        Assert.Equal(0, memory.Clients.Used);
    }

    [Fact]
    public async Task SessionWhoseAnswersAreNotTaken_Ends_AndGivesItsRoomBack()
    {
        var puts = new SessionRequests();
        for (var id = 1u; id <= 20; id++)
        {
            var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8($"{id}") };
            var content = new Content { Value = ByteString.CopyFrom(new byte[300_000]) };
            puts.Requests.Add(new SessionRequest { Id = id, Put = new PutRequest { Key = key, Content = content, ReturnBody = true } });
        }

        using var sent = new SlowContent([.. Prefix(puts.CalculateSize()), .. puts.ToByteArray()]);
        using var response = await CallAsync("Session", sent);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (memory.Clients.Used > 0)
        {
            await Task.Delay(10, patience.Token);
        }

        try
        {
            await response.Content.CopyToAsync(Stream.Null, patience.Token);
            Assert.Equal(DeadlineExceeded, Status(response));
        }
        catch (HttpRequestException)
        {
            // A write that its reader holds up is reset.
        }
    }

    [Fact]
    public async Task TooLongMessageOfTooManyRequests_EndsItsSession()
    {
        const int invalidArgument = 3;
        byte[] request = [0x0a, 2, 8, 1];
        var message = Enumerable.Repeat(request, (int)memory.MaxObjectBytes / 2).SelectMany(bytes => bytes).ToArray();
        using var content = new SlowContent([.. Prefix(message.Length), .. message]);
        using var response = await CallAsync("Session", content);
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(invalidArgument, Status(response));
    }

    [Fact]
    public async Task SessionWithoutAMessage_MayRest()
    {
        using var content = new SlowContent([]);
        var call = CallAsync("Session", content);
        await Task.Delay(400, TestContext.Current.CancellationToken);
        content.End();
        using var response = await call;
        await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(0, Status(response));
    }

    private static byte[] Prefix(int messageBytes)
    {
        var prefix = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), messageBytes);
        return prefix;
    }

    private static int Status(HttpResponseMessage response) =>
        int.Parse((response.TrailingHeaders.TryGetValues("grpc-status", out var last) ? last : response.Headers.GetValues("grpc-status")).Single(), CultureInfo.InvariantCulture);

    private async Task<HttpResponseMessage> CallAsync(string method, HttpContent content)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        using var request = new HttpRequestMessage(HttpMethod.Post, app.Urls.Single() + "/kv.v1.Kv/" + method)
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
    }

    /// <summary>Sends what it begins with, and then nothing until it is told to end.</summary>
    private sealed class SlowContent(byte[] first) : HttpContent
    {
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void End() => ended.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(first);
            await stream.FlushAsync();
            await ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            ended.TrySetResult();
            base.Dispose(disposing);
        }
    }
}
