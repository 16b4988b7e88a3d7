using System.IO.Pipelines;
using Google.Protobuf;
using Kv.Protos.Riak;
using Kv.Wire.Riak.Pb;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>What frames take of the node's memory beyond their bytes, and for how long.</summary>
public sealed class PbMemoryTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Some megabytes of which every few bytes are a field: links, members of a set, fields that nobody knows, an empty map in each of a map's updates.</summary>
    public static TheoryData<int, byte[]> Dense => new()
    {
        { 11, Message(4, Repeated([0x32, 0])) },
        { 82, Message(5, Message(2, Repeated([0x0a, 1, 7]))) },
        { 9, Repeated([0x98, 0x06, 1]) },
        { 82, Message(5, Message(3, Repeated([0x12, 2, 0x32, 0]))) },
    };

    [Theory]
    [MemberData(nameof(Dense))]
    public async Task FrameOfMoreFieldsThanThereIsMemoryFor_IsRefused_AndTheConnectionGoesOn(int code, byte[] message)
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync(Frame(code, message));
        var (answer, error) = (await client.ReadAsync())!.Value;
        Assert.Equal(0, answer);
        Assert.Equal("Invalid message packet: too many fields: there is never memory for what becomes of them; send less at once", RpbErrorResp.Parser.ParseFrom(error).Errmsg.ToStringUtf8());
        Assert.Equal(2, (await client.AskAsync(1)).Code);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    [Fact]
    public async Task FrameWhoseFieldsFindNoRoom_IsOverload_AndTheConnectionGoesOn()
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync();
        var update = new DtUpdateReq { Bucket = Bytes("b"), Key = Bytes("k"), Type = Bytes("sets"), Op = new DtOp { SetOp = new SetOp() } };
        update.Op.SetOp.Adds.AddRange(Enumerable.Range(0, 10_000).Select(member => Bytes($"{member}")));
        var most = server.Memory.Clients.Bytes - (1024 * 1024);
        Assert.True(server.Memory.Clients.TryTake(most));
        Assert.Equal("overload", await client.FailAsync(82, update));
        Assert.Equal(most, server.Memory.Clients.Used);
        server.Memory.Clients.Release(most);
        Assert.Equal(83, (await client.AskAsync(82, update)).Code);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    /// <summary>What becomes of its fields is there before the copies that are made of it later.</summary>
    [Fact]
    public async Task LargestObject_HasRoomWithManyFields()
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync();
        var put = new RpbPutReq { Bucket = Bytes("b"), Key = Bytes("k"), Content = Content((int)server.Memory.MaxObjectBytes, seed: 1) };
        put.Content.Usermeta.AddRange(Enumerable.Range(0, 1000).Select(number => new RpbPair { Key = Bytes($"{number}"), Value = Bytes("v") }));
        Assert.Equal(12, (await client.AskAsync(11, put)).Code);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    [Fact]
    public async Task FrameWithAGroup_IsNoMessage()
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync(Frame(9, Repeated([0x9b, 0x06, 0x9c, 0x06])));
        Assert.Equal("Error processing incoming message: it cannot be read", RpbErrorResp.Parser.ParseFrom((await client.ReadAsync())!.Value.Message).Errmsg.ToStringUtf8());
        Assert.Null(await client.ReadAsync());
    }

    /// <summary>Byte after byte keeps a frame from resting, and would hold its room for months.</summary>
    [Fact]
    public async Task FrameThatComesTooSlowly_EndsItsConnection_AndGivesItsRoomBack()
    {
        await using var server = await StartAsync(new RiakPbOptions { StallTimeout = Short, LeastBytesPerSecond = 10_000_000 });
        using var slow = await server.ConnectAsync();
        var frame = PbClient.Frame(11, new RpbPutReq { Bucket = Bytes("b"), Key = Bytes("k"), Content = new RpbContent { Value = ByteString.CopyFrom(new byte[500_000]) } });
        await slow.SendAsync(frame[..5000]);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        var end = slow.ReadAsync();
        for (var at = 5000; !end.IsCompleted; at++)
        {
            try
            {
                await slow.SendAsync(frame[at..(at + 1)]);
            }
            catch (IOException)
            {
                break;
            }

            await Task.Delay(20, patience.Token);
        }

        Assert.Null(await end);
        while (server.Memory.Clients.Used > 0)
        {
            await Task.Delay(1, patience.Token);
        }
    }

    [Fact]
    public async Task LongValues_WaitInPieces_AndAreTheSameMessage()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024));
        using var output = new PbOutput(pipe.Writer, new RiakPbOptions(), Cancel);
        var sent = new RpbGetResp { Vclock = Bytes("clock") };
        sent.Content.Add(Content(1_000_000, seed: 1));
        sent.Content.Add(Content(0, seed: 2));
        sent.Content.Add(Content(3_000_000, seed: 3));
        var expected = sent.Clone();
        var writing = output.WriteAsync(new PbReply(PbCode.GetResp, sent)).AsTask();
        var received = new MemoryStream();
        while (received.Length < 5 + expected.CalculateSize())
        {
            var read = await pipe.Reader.ReadAsync(Cancel);
            Assert.InRange(read.Buffer.Length, 1, 256 * 1024);
            foreach (var piece in read.Buffer)
            {
                received.Write(piece.Span);
            }

            pipe.Reader.AdvanceTo(read.Buffer.End);
        }

        await writing;
        Assert.Equal((expected.CalculateSize() + 1, (int)PbCode.GetResp), (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(received.ToArray()), received.ToArray()[4]));
        Assert.Equal(expected, RpbGetResp.Parser.ParseFrom(received.ToArray()[5..]));
    }

    private static async Task<RiakPbServer> StartAsync(RiakPbOptions? options = null)
    {
        var server = new RiakPbServer { Memory = new RequestMemory(9 * 1024 * 1024, TimeProvider.System), Options = options ?? new RiakPbOptions() };
        await server.InitializeAsync();
        return server;
    }

    private static RpbContent Content(int bytes, int seed)
    {
        var value = new byte[bytes];
        new Random(seed).NextBytes(value);
        return new RpbContent { Value = ByteString.CopyFrom(value), ContentType = Bytes("text/plain"), Vtag = Bytes("tag"), LastMod = 7, Usermeta = { new RpbPair { Key = Bytes("k"), Value = Bytes("v") } } };
    }

    private static byte[] Repeated(byte[] field) => [.. Enumerable.Repeat(field, 900_000 / field.Length).SelectMany(bytes => bytes)];

    /// <summary>A message in a field of another.</summary>
    private static byte[] Message(int field, byte[] message)
    {
        var bytes = new MemoryStream();
        var output = new CodedOutputStream(bytes);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(message));
        output.Flush();
        return bytes.ToArray();
    }

    private static byte[] Frame(int code, byte[] message)
    {
        var frame = PbClient.Frame(code);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame, message.Length + 1);
        return [.. frame, .. message];
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
