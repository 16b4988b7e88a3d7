using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Kv.Core.DataTypes;
using Kv.Wire.Riak.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>What requests take of the node's memory beyond their bytes, and for how long.</summary>
public sealed class RiakHttpMemoryTests
{
    private const string Json = "Content-Type: application/json";

    /// <summary>What a document takes, however little is in it.</summary>
    private const int DocumentBytes = 4096;

    private static readonly RiakHttpOptions Roomy = new() { MaxObjectBytes = 900_000 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Of which data type, and JSON whose middle comes again and again.</summary>
    public static TheoryData<DataTypeKind, string, string, string> Dense => new()
    {
        { DataTypeKind.Set, "{\"add_all\":[", "\"a\",", "\"a\"]}" },
        { DataTypeKind.Set, "{\"add_all\":[", "\"\",", "\"\"]}" },
        { DataTypeKind.Set, "{\"update\":[", "{\"add\":\"\"},", "{\"add\":\"\"}]}" },
        { DataTypeKind.Set, "{\"update\":[", "{},", "{}]}" },
        { DataTypeKind.GSet, "{\"add_all\":[", "1,", "1]}" },
        { DataTypeKind.Map, "{\"update\":{", "\"_set\":{\"add\":\"\"},", "\"_set\":{\"add\":\"\"}}}" },
        { DataTypeKind.Map, "{\"update\":{", "\"_counter\":1,", "\"_counter\":1}}" },
        { DataTypeKind.Map, "{\"update\":{", "\"_map\":{},", "\"_map\":{}}}" },
        { DataTypeKind.Map, "{\"remove\":[", "\"_flag\",", "\"_flag\"]}" },
        { DataTypeKind.Map, "{", "\"update\":{},", "\"update\":{}}" },
        { DataTypeKind.Counter, "[", "1,", "1]" },
    };

    [Theory]
    [MemberData(nameof(Dense))]
    public void WhatIsReadOfJson_TakesNoMoreThanItsTokensCount(DataTypeKind kind, string before, string each, string after)
    {
        var json = Repeated(before, each, after, 5000);
        new DataTypeUpdateJson().Read(json, kind);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(new DataTypeUpdateJson().Read(json, kind));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.InRange(allocated, 0, (RequestBody.CountFields(json, DataTypeUpdateJson.MaxDepth) * RequestMemory.FieldBytes) + (RequestMemory.CopiesOfWrite * json.Length) + DocumentBytes);
    }

    [Theory]
    [InlineData("POST", "/types/sets/buckets/b/datatypes/k", "{\"add_all\":[", "\"a\",", "\"a\"]}")]
    [InlineData("POST", "/types/maps/buckets/b/datatypes/k", "{\"update\":{", "\"_set\":{},", "\"_set\":{}}}")]
    [InlineData("PUT", "/buckets/b/props", "{\"props\":{\"precommit\":[", "{},", "{}]}}")]
    public async Task JsonOfMoreTokensThanThereIsMemoryFor_IsRefused(string method, string path, string before, string each, string after)
    {
        await using var server = await StartAsync(Roomy with { MaxPropsBytes = 900_000 });
        var answer = await server.SendAsync(method, path, Json, Repeated(before, each, after, 80_000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.StartsWith("too many fields: ", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    [Fact]
    public async Task JsonWhoseTokensFindNoRoom_IsOverload()
    {
        await using var server = await StartAsync(Roomy);
        var most = server.Memory.Clients.Bytes - (1024 * 1024);
        Assert.True(server.Memory.Clients.TryTake(most));
        var json = Repeated("{\"add_all\":[", "\"a\",", "\"a\"]}", 6000);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.SendAsync("POST", "/types/sets/buckets/b/datatypes/k", Json, json)).StatusCode);
        server.Memory.Clients.Release(most);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync("POST", "/types/sets/buckets/b/datatypes/k", Json, json)).StatusCode);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    /// <summary>Byte after byte would hold its room for months.</summary>
    [Fact]
    public async Task BodyThatComesTooSlowly_EndsItsRequest_AndGivesItsRoomBack()
    {
        await using var server = await StartAsync(Roomy with { StallTimeout = TimeSpan.FromSeconds(2), LeastBytesPerSecond = 10_000_000 });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.EndPoint, patience.Token);
        var stream = socket.GetStream();
        await stream.WriteAsync("PUT /buckets/b/keys/k HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 500000\r\n\r\n"u8.ToArray(), patience.Token);
        var answer = new StreamReader(stream, Encoding.Latin1).ReadLineAsync(patience.Token).AsTask();
        while (!answer.IsCompleted)
        {
            await stream.WriteAsync(new byte[10], patience.Token);
            await Task.Delay(10, patience.Token);
        }

        Assert.Equal("HTTP/1.1 408 Request Timeout", await answer);
        while (server.Memory.Clients.Used > 0)
        {
            await Task.Delay(1, patience.Token);
        }
    }

    [Fact]
    public async Task LongValue_WaitsInPieces()
    {
        var http = new DefaultHttpContext();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024));
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(pipe.Writer.AsStream()));
        var value = new byte[1_000_000];
        new Random(1).NextBytes(value);
        var writing = http.SendAsync(200, "text/plain", value);
        var received = new List<byte>();
        while (received.Count < value.Length)
        {
            var read = await pipe.Reader.ReadAsync(Cancel);
            Assert.InRange(read.Buffer.Length, 1, 256 * 1024);
            foreach (var piece in read.Buffer)
            {
                received.AddRange(piece.Span);
            }

            pipe.Reader.AdvanceTo(read.Buffer.End);
        }

        await writing;
        Assert.Equal(value, received);
    }

    private static byte[] Repeated(string before, string each, string after, int times) =>
        Encoding.UTF8.GetBytes(before + string.Concat(Enumerable.Repeat(each, times)) + after);

    private static async Task<RiakServer> StartAsync(RiakHttpOptions options)
    {
        var server = new RiakServer { Memory = new RequestMemory(9 * 1024 * 1024, TimeProvider.System), Options = options };
        await server.InitializeAsync();
        return server;
    }
}
