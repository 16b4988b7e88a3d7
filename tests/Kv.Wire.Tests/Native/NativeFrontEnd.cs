using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Google.Protobuf;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;
using Kv.TestKit;
using Kv.Wire.Access;
using Kv.Wire.Native;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>The native front end over a real loopback socket, and calls of it as bytes; <paramref name="stall"/> is how long a message or an answer may rest.</summary>
public abstract class NativeFrontEnd(TimeSpan stall) : IAsyncLifetime
{
    protected const int DeadlineExceeded = 4;
    protected const int InvalidArgument = 3;

    private readonly HttpClient http = new();
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoneNode alone = null!;
    private KvService service = null!;
    private WebApplication app = null!;

    /// <summary>The front end's.</summary>
    protected RequestMemory Memory { get; } = new(90 * 1024 * 1024, TimeProvider.System);

    /// <summary>Ends when a connection does.</summary>
    protected Task Closed => closed.Task;

    public async ValueTask InitializeAsync()
    {
        alone = await LoneNode.StartAsync();
        var options = NativeOptions.For(Memory.MaxObjectBytes) with { StallTimeout = stall, LeastBytesPerSecond = 1_000_000, SessionRequests = 8 };
        var access = new AccessControl(alone.Node.State, [], NullLogger<AccessControl>.Instance);
        service = new KvService(alone.Node.Client, alone.Node.Admin, alone.Node.State, new RingView(alone.Node.State), options, Memory, access, TimeProvider.System, NullLogger<KvService>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.ApplyNativeLimits(options, 100);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddKvService(service, options, access);
        app = builder.Build();
        app.Use((context, next) =>
        {
            context.Features.Get<IConnectionLifetimeFeature>()!.ConnectionClosed.Register(() => closed.TrySetResult());
            return next(context);
        });
        app.MapKvService(Memory, options);
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        http.Dispose();
        service.Stop();
        await app.DisposeAsync();
        service.Dispose();
        await alone.DisposeAsync();
    }

    protected async Task<Key> PutAsync(string name, int bytes)
    {
        var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8(name) };
        var put = new KvRequest.Put { Key = new ObjectKey(ObjectKey.DefaultType, "b", name), Content = new Sibling { Dot = null, Value = new byte[bytes] } };
        Assert.IsType<KvOutcome.Stored>(await alone.Node.Client.ExecuteAsync(put, TestContext.Current.CancellationToken));
        return key;
    }

    protected async Task RoomIsBackAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (Memory.Clients.Used > 0)
        {
            await Task.Delay(10, patience.Token);
        }
    }

    protected static byte[] Prefix(int messageBytes)
    {
        var prefix = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), messageBytes);
        return prefix;
    }

    protected static byte[] Framed(byte[] message) => [.. Prefix(message.Length), .. message];

    /// <summary>An empty field again and again, in the last of the fields, which lie in each other.</summary>
    protected static byte[] Dense(int[] fields)
    {
        byte[] message = [.. Enumerable.Repeat(Message(fields[^1], []), 1_000_000).SelectMany(bytes => bytes)];
        return fields.Reverse().Skip(1).Aggregate(message, (inner, field) => Message(field, inner));
    }

    /// <summary>A message in a field of another.</summary>
    protected static byte[] Message(int field, byte[] message)
    {
        var bytes = new MemoryStream();
        var output = new CodedOutputStream(bytes);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(message));
        output.Flush();
        return bytes.ToArray();
    }

    protected static async Task<SessionResponses> ReadAsync(Stream frames)
    {
        var prefix = new byte[5];
        await frames.ReadExactlyAsync(prefix, TestContext.Current.CancellationToken);
        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await frames.ReadExactlyAsync(message, TestContext.Current.CancellationToken);
        return SessionResponses.Parser.ParseFrom(message);
    }

    protected static int Status(HttpResponseMessage response) =>
        int.Parse((response.TrailingHeaders.TryGetValues("grpc-status", out var last) ? last : response.Headers.GetValues("grpc-status")).Single(), CultureInfo.InvariantCulture);

    protected async Task<HttpResponseMessage> CallAsync(string method, HttpContent content)
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

    /// <summary>Sends what it begins with, and then nothing until it is told to end; with a pause, after each of them the rest, or a byte and another.</summary>
    protected sealed class SlowContent(byte[] first, TimeSpan? pause = null, byte[]? rest = null) : HttpContent
    {
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void End() => ended.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(first);
            await stream.FlushAsync();
            while (pause is { } wait && !ended.Task.IsCompleted)
            {
                await Task.Delay(wait);
                await stream.WriteAsync(rest ?? new byte[1]);
                await stream.FlushAsync();
                if (rest is not null)
                {
                    return;
                }
            }

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
