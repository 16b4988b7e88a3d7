using System.Buffers;
using System.Globalization;
using CsCheck;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Wire.Peer;
using Xunit;

namespace Kv.Wire.Tests.Peer;

public sealed class PeerCodecTests
{
    public static TheoryData<string> RequestNames => [.. PeerSamples.Requests.Select(sample => sample.Name)];

    public static TheoryData<string> ReplyNames => [.. PeerSamples.Replies.Select(sample => sample.Name)];

    [Theory]
    [MemberData(nameof(RequestNames))]
    public void Request_WrittenAndRead_IsTheSame(string name)
    {
        var request = PeerSamples.Requests.Single(sample => sample.Name == name).Request;
        var envelope = Decode(Encode(request)).Messages.Single();

        Assert.Equal(9u, envelope.Id);
        Assert.Equal(1500u, envelope.DeadlineMilliseconds);
        Assert.True(PeerCodec.TryReadRequest(envelope, out var read, out var problem), problem);
        Assert.Equal(Description.Of(request), Description.Of(read));
    }

    [Theory]
    [MemberData(nameof(ReplyNames))]
    public void Reply_WrittenAndRead_IsTheSame(string name)
    {
        var reply = PeerSamples.Replies.Single(sample => sample.Name == name).Reply;
        var envelope = Decode(Encode(reply)).Messages.Single();

        Assert.True(PeerCodec.TryReadReply(envelope, out var read, out var problem), problem);
        Assert.Equal(Description.Of(reply), Description.Of(read));
    }

    [Fact]
    public void Samples_CoverEveryMessage()
    {
        Assert.Equal(Enum.GetValues<PeerRequestCode>().Length, PeerSamples.Requests.Select(sample => sample.Request.GetType()).Distinct().Count());
        Assert.Equal(typeof(PeerRequest).GetNestedTypes().Length, Enum.GetValues<PeerRequestCode>().Length);
        Assert.Equal(Enum.GetValues<PeerReplyCode>().Length, PeerSamples.Replies.Select(sample => sample.Reply.GetType()).Distinct().Count());
        Assert.Equal(typeof(PeerReply).GetNestedTypes().Length, Enum.GetValues<PeerReplyCode>().Length);
        Assert.Equal(typeof(Cluster.KvError).GetNestedTypes().Length, Enum.GetValues<KvErrorCode>().Length);
    }

    [Fact]
    public void Bytes_AreThoseOfTheGoldenFile()
    {
        var lines = PeerSamples.Requests.Select(sample => $"request {sample.Name} {Convert.ToHexStringLower(Encode(sample.Request))}")
            .Concat(PeerSamples.Replies.Select(sample => $"reply {sample.Name} {Convert.ToHexStringLower(Encode(sample.Reply))}"))
            .Append($"hello {Convert.ToHexStringLower(Hello())}")
            .ToList();

        // KV_GOLDEN names the source folder to write anew after a format was appended to.
        if (Environment.GetEnvironmentVariable("KV_GOLDEN") is { } folder)
        {
            File.WriteAllLines(Path.Combine(folder, "peer-v1.txt"), lines);
        }

        Assert.Equal(File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "peer-v1.txt")), lines);
    }

    [Fact]
    public void Put_OfAnything_IsTheSameAfterwards() =>
        Gen.Select(Gen.Int[0, 1023], Gen.String[Gen.Char.AlphaNumeric, 1, 20], Gen.Byte.Array[1, 300], Gen.Byte.Array[1, 300], Gen.Byte.Array[0, 3000], Gen.Long).Sample(
            (partition, type, bucket, key, stored, version) =>
            {
                var put = new PeerRequest.VnodePut(
                    new PartitionId(partition), new ObjectKey(type, bucket, key), stored, VnodePutKind.Repair, Durability.Memory)
                { DocumentVersion = version };
                return PeerCodec.TryReadRequest(Decode(Encode(put)).Messages[0], out var read, out _) && Description.Of(read) == Description.Of(put);
            },
            iter: 500);

    [Fact]
    public void Frame_WithBytesChanged_IsReadOrRefused_NeverThrows()
    {
        var frames = PeerSamples.Requests.Select(sample => Encode(sample.Request)).Concat(PeerSamples.Replies.Select(sample => Encode(sample.Reply))).ToArray();
        Gen.Select(Gen.Int[0, frames.Length - 1], Gen.Select(Gen.Int[0, 100_000], Gen.Byte).Array[1, 8], Gen.Int[0, 100_000]).Sample(
            (which, changes, cut) =>
            {
                var bytes = frames[which].ToArray();
                foreach (var (at, value) in changes)
                {
                    bytes[at % bytes.Length] = value;
                }

                return Survives(cut % 3 == 0 ? bytes[..(cut % (bytes.Length + 1))] : bytes);
            },
            iter: 20_000);
    }

    [Fact]
    public void Frame_OfNoise_IsReadOrRefused_NeverThrows() => Gen.Byte.Array[0, 200].Sample(Survives, iter: 20_000);

    [Fact]
    public void Frame_ThatClaimsMoreThanItHas_TakesNoMemory()
    {
        // A handoff batch that claims two thousand million entries, and a value as long.
        using var writer = new WireWriter();
        PeerFrame.Begin(writer, PeerFrameKind.Requests, PeerVersions.Spoken.Newest);
        var start = PeerFrame.WriteEnvelope(writer, 1, (byte)PeerRequestCode.HandoffBatch, 1, 0, default);
        writer.I32(0);
        writer.I32(2_000_000_000);
        writer.I32(2_000_000_000);
        writer.FillLength(start);
        var bytes = PeerFrame.Finish(writer, 1).Encoded.ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.False(PeerCodec.TryReadRequest(Decode(bytes).Messages[0], out _, out var problem));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Contains("2000000000", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "shorter than its header")]
    [InlineData("010300", "shorter than its header")]
    [InlineData("01090000", "kind 9")]
    [InlineData("020500000102", "a long message without its envelope")]
    [InlineData("01030100", "1 messages in 0 bytes")]
    [InlineData("0103000000", "1 bytes after the last message")]
    public void Frame_ThatMakesNoSense_SaysWhy(string hex, string reason) =>
        Assert.Contains(reason, Decode(Convert.FromHexString(hex)).Problem, StringComparison.Ordinal);

    [Fact]
    public void Request_OfAnUnknownCode_SaysSo()
    {
        Assert.False(PeerCodec.TryReadRequest(new PeerEnvelope(1, 200, 1, 0, default, default), out _, out var problem));
        Assert.Contains("unknown request code 200", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("02030000", "frame version 2, where 1 was agreed on")]
    [InlineData("01040000", "a frame of Replies, where Requests are due")]
    [InlineData("01090000", "kind 9")]
    [InlineData("010600001234", "a frame of LongMore, where Requests are due")]
    [InlineData("01030000", null)]
    public void Frame_ThatTheStreamDidNotAgreeOn_SaysWhy(string hex, string? reason)
    {
        var problem = Decode(Convert.FromHexString(hex)).ProblemAs(PeerFrameKind.Requests, version: 1);
        Assert.Equal(reason is null, problem is null);
        Assert.Contains(reason ?? "", problem ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9, 7, 7, 9)]
    [InlineData(9, 0, 9, 9)]
    public void Hello_OfAnyVersion_IsRead(byte version, byte count, byte oldest, byte newest)
    {
        var bytes = Hello();
        (bytes[0], bytes[2]) = (version, count);
        var (hello, problem) = PeerHello.Decode(Decode(bytes));
        Assert.Null(problem);
        Assert.Equal(new PeerVersions(oldest, newest), hello!.Versions);
    }

    private static byte[] Hello()
    {
        using var writer = new WireWriter();
        return PeerHello.Encode(new PeerHello(new NodeId(1), new NodeId(2), Guid.Parse("6f0c6f3e-26a1-4fd4-8f5a-2f6b6a5b7c11")) { Versions = new PeerVersions(1, 1) }, writer).Encoded.ToArray();
    }

    private static byte[] Encode(PeerRequest request)
    {
        using var writer = new WireWriter();
        PeerFrame.Begin(writer, PeerFrameKind.Requests, version: 1);
        PeerCodec.WriteRequest(writer, 9, 1500, request);
        return PeerFrame.Finish(writer, 1).Encoded.ToArray();
    }

    private static byte[] Encode(PeerReply reply)
    {
        using var writer = new WireWriter();
        PeerFrame.Begin(writer, PeerFrameKind.Replies, version: 1);
        PeerCodec.WriteReply(writer, 9, reply, int.MaxValue);
        return PeerFrame.Finish(writer, 1).Encoded.ToArray();
    }

    private static PeerFrame Decode(byte[] bytes) => PeerFrame.Decode(new ReadOnlySequence<byte>(bytes));

    private static bool Survives(byte[] bytes)
    {
        var frame = Decode(bytes);
        PeerHello.Decode(frame);
        PeerWelcome.Decode(frame);
        foreach (var message in frame.Messages)
        {
            var isRequest = PeerCodec.TryReadRequest(message, out var request, out var why);
            var isReply = PeerCodec.TryReadReply(message, out var reply, out var whyNot);
            if (isRequest != (request is not null) || isRequest != (why is null) || isReply != (reply is not null) || isReply != (whyNot is null))
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"neither read nor refused: {message.Code}"));
            }
        }

        return true;
    }
}
