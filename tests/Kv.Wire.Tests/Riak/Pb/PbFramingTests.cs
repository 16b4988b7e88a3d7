using System.Buffers.Binary;
using Google.Protobuf;
using Kv.Protos.Riak;
using Kv.Wire.Riak.Pb;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Bytes in and out: Riak's own samples (reference, appendix A), frames in pieces and in heaps, and what is no frame.</summary>
public sealed class PbFramingTests(RiakPbServer server) : IClassFixture<RiakPbServer>
{
    [Theory]
    [InlineData("0000000101", "0000000102")]
    [InlineData("00000007 09 0a0162 12016b", "000000010a")]
    [InlineData("0000000d 09 0a0162 12016b 18fdffffff0f", "000000010a")]
    [InlineData("00000007 0d 0a0162 12016b", "000000010e")]
    [InlineData("00000001ff", "")]
    public async Task Sample_IsAnsweredToTheByte(string sent, string answered)
    {
        using var client = await server.ConnectAsync();
        await client.SendAsync(Convert.FromHexString(sent.Replace(" ", "", StringComparison.Ordinal)));
        var (code, message) = (await client.ReadAsync())!.Value;
        var expected = answered.Length > 0
            ? answered
            : Convert.ToHexStringLower(PbClient.Frame(0, new RpbErrorResp { Errmsg = ByteString.CopyFromUtf8("Security not enabled; STARTTLS not allowed."), Errcode = 0 }));
        var frame = new byte[4 + 1 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)message.Length + 1);
        frame[4] = (byte)code;
        message.CopyTo(frame, 5);
        Assert.Equal(expected, Convert.ToHexStringLower(frame));
    }

    [Fact]
    public async Task PutSample_IsStored()
    {
        using var client = await server.ConnectAsync();
        await client.SendAsync(Convert.FromHexString("0000001a0b0a016212016b220f0a0176120a746578742f706c61696e3801"));
        var (code, message) = (await client.ReadAsync())!.Value;
        Assert.Equal(12, code);
        var content = Assert.Single(RpbPutResp.Parser.ParseFrom(message).Content);
        Assert.Equal(("v", "text/plain"), (content.Value.ToStringUtf8(), content.ContentType.ToStringUtf8()));
        await client.AskAsync(13, new RpbDelReq { Bucket = Bytes("b"), Key = Bytes("k") });
    }

    [Fact]
    public async Task ErrorSample_HasItsBytes()
    {
        var frame = PbClient.Frame(0, new RpbErrorResp { Errmsg = Bytes("timeout"), Errcode = 0 });
        Assert.Equal("0000000c000a0774696d656f75741000", Convert.ToHexStringLower(frame));
        using var client = await server.ConnectAsync();
        Assert.Equal("Unknown message code: 200", await client.FailAsync(200));
    }

    [Fact]
    public async Task Frames_ComeInPieces()
    {
        using var client = await server.ConnectAsync();
        foreach (var b in PbClient.Frame(9, new RpbGetReq { Bucket = Bytes("pieces"), Key = Bytes("k") }).Concat(PbClient.Frame(1)))
        {
            await client.SendAsync([b]);
        }

        Assert.Equal(10, (await client.ReadAsync())!.Value.Code);
        Assert.Equal(2, (await client.ReadAsync())!.Value.Code);
    }

    [Fact]
    public async Task Frames_SentWithoutWaiting_AreAnsweredInTheirOrder()
    {
        using var client = await server.ConnectAsync();
        var heap = new List<byte>();
        for (var i = 0; i < 300; i++)
        {
            heap.AddRange(PbClient.Frame(11, Put("heap", $"k{i}", $"v{i}")));
            heap.AddRange(PbClient.Frame(9, new RpbGetReq { Bucket = Bytes("heap"), Key = Bytes($"k{i}") }));
        }

        var sending = client.SendAsync([.. heap]);
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(12, (await client.ReadAsync())!.Value.Code);
            var (code, message) = (await client.ReadAsync())!.Value;
            Assert.Equal(10, code);
            Assert.Equal($"v{i}", Assert.Single(RpbGetResp.Parser.ParseFrom(message).Content).Value.ToStringUtf8());
        }

        await sending;
    }

    [Fact]
    public async Task WhatWasSentBeforeTheClientEnds_IsAnswered()
    {
        using var client = await server.ConnectAsync();
        await client.SendAsync([.. PbClient.Frame(11, Put("ends", "k", "v")), .. PbClient.Frame(1)]);
        client.EndSending();
        Assert.Equal(12, (await client.ReadAsync())!.Value.Code);
        Assert.Equal(2, (await client.ReadAsync())!.Value.Code);
        Assert.Null(await client.ReadAsync());
    }

    [Theory]
    [InlineData("00000000", "Invalid message packet: a frame has at least one byte, its code")]
    [InlineData("ffffffff0b", "Invalid message packet: 4294967295 bytes, at most 1310720 are allowed")]
    [InlineData("474554202f20485454502f312e31", "Invalid message packet: 1195725856 bytes, at most 1310720 are allowed")]
    [InlineData("00000003090aff", "Error processing incoming message: ")]
    [InlineData("00000002090a", "Error processing incoming message: ")]
    [InlineData("000000010b", "Error processing incoming message: ")]
    [InlineData("0000000415 0a0162", "Error processing incoming message: RpbSetBucketReq has no props")]
    public async Task WhatIsNoMessage_IsAnsweredWithAnError_AndTheConnectionEnds(string bytes, string text)
    {
        using var client = await server.ConnectAsync();
        await client.SendAsync(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)));
        var (code, message) = (await client.ReadAsync())!.Value;
        Assert.Equal(0, code);
        Assert.StartsWith(text, RpbErrorResp.Parser.ParseFrom(message).Errmsg.ToStringUtf8(), StringComparison.Ordinal);
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task FramesOfAnyBytes_GetAnAnswerOrAnEnd()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var body = new byte[random.Next(1, 60)];
            random.NextBytes(body);

            // Some so long that their fields are counted first.
            body = random.Next(3) == 0 ? [.. Enumerable.Repeat(body, 2048 / body.Length).SelectMany(bytes => bytes)] : body;
            body[0] = (byte)(random.Next(3) == 0 ? body[0] : new byte[] { 5, 9, 11, 13, 15, 17, 19, 21, 29, 31, 32, 33, 82 }[random.Next(13)]);
            using var client = await server.ConnectAsync();
            var frame = new byte[4 + body.Length];
            BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)body.Length);
            body.CopyTo(frame, 4);
            await client.SendAsync([.. frame, .. PbClient.Frame(1)]);
            var answer = await client.ReadAsync();
            Assert.True(answer is not null, $"seed {seed}: no answer");
            if (answer.Value.Code == 0 && RpbErrorResp.Parser.ParseFrom(answer.Value.Message).Errmsg.ToStringUtf8().StartsWith("Error processing", StringComparison.Ordinal))
            {
                Assert.DoesNotContain("see its log", RpbErrorResp.Parser.ParseFrom(answer.Value.Message).Errmsg.ToStringUtf8(), StringComparison.Ordinal);
                continue;
            }

            while (answer is { Code: 16 or 18 })
            {
                answer = await client.ReadAsync();
                if (answer is { Code: 2 })
                {
                    break;
                }
            }

            Assert.True(answer is { Code: 2 } || await client.ReadAsync() is { Code: 2 }, $"seed {seed}: the next request was not answered");
        }
    }

    [Fact]
    public async Task LargestValue_GoesInAndOut_ALargerOneIsRefused_AndTheConnectionGoesOn()
    {
        using var client = await server.ConnectAsync();
        var value = new byte[RiakPbServer.MaxObjectBytes];
        new Random(1).NextBytes(value);
        var put = Put("large", "k", "");
        put.Content.Value = ByteString.CopyFrom(value);
        Assert.Equal(12, (await client.AskAsync(11, put)).Code);
        var (_, message) = await client.AskAsync(9, new RpbGetReq { Bucket = Bytes("large"), Key = Bytes("k") });
        Assert.Equal(value, RpbGetResp.Parser.ParseFrom(message).Content[0].Value.ToByteArray());

        put.Content.Value = ByteString.CopyFrom(new byte[RiakPbServer.MaxObjectBytes + RiakPbOptions.OverheadBytes + 1]);
        Assert.StartsWith("Invalid message packet: ", await client.FailAsync(11, put), StringComparison.Ordinal);
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static RpbPutReq Put(string bucket, string key, string value) =>
        new() { Bucket = Bytes(bucket), Key = Bytes(key), Content = new RpbContent { Value = Bytes(value) } };
}
