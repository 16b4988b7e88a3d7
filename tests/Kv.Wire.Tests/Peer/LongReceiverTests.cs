using System.Buffers;
using Kv.Wire.Peer;
using Xunit;

namespace Kv.Wire.Tests.Peer;

public sealed class LongReceiverTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(64 * 1024)]
    [InlineData(1_000_000)]
    public void WhatASenderCuts_IsPutTogether_AndWhatThereIsNoRoomFor_IsPassedOver(int bytes)
    {
        var hasRoom = true;
        var receiver = new LongReceiver(2_000_000, (_, length) => hasRoom ? new byte[length] : null);
        foreach (var expected in new[] { true, false, true })
        {
            hasRoom = expected;
            foreach (var frame in Frames(bytes))
            {
                Assert.Null(receiver.Take(frame));
            }

            Assert.True(receiver.IsComplete);
            Assert.Equal(!expected, receiver.IsRefused);
            Assert.Equal((7UL, expected ? bytes : 0), (receiver.Message.Id, receiver.Message.Body.Length));
            Assert.True(!expected || receiver.Message.Body.Span.SequenceEqual(Body(bytes)));
            receiver.Clear();
        }
    }

    [Fact]
    public void PiecesThatFitNoMessage_AreAProblem_AndTakeNoRoom()
    {
        var frames = Frames(200_000);
        static LongReceiver Receiver() => new(200_000, (_, length) => new byte[length]);
        Assert.Contains("0 are due", Receiver().Take(frames[1]), StringComparison.Ordinal);

        var twice = Receiver();
        Assert.Null(twice.Take(frames[0]));
        Assert.Contains("of another are due", twice.Take(frames[0]), StringComparison.Ordinal);

        var beyond = Receiver();
        Assert.All(frames, frame => Assert.Null(beyond.Take(frame)));
        Assert.NotNull(beyond.Take(frames[^1]));

        var tooLong = new LongReceiver(100_000, (_, _) => throw new InvalidOperationException("room is asked for"));
        Assert.Contains("100000 are allowed", tooLong.Take(frames[0]), StringComparison.Ordinal);
    }

    private static byte[] Body(int bytes) => [.. Enumerable.Range(0, bytes).Select(i => (byte)(i * 31))];

    private static List<PeerFrame> Frames(int bytes)
    {
        using var sender = new LongSender();
        sender.Add(0, _ => false);
        sender.Add(bytes, message =>
        {
            var start = PeerFrame.WriteEnvelope(message, 7, 1, 100, 3, default);
            message.Raw(Body(bytes));
            message.FillLength(start);
            return true;
        });
        var frames = new List<PeerFrame>();
        using var writer = new WireWriter();
        while (sender.TryWritePiece(writer, 2))
        {
            frames.Add(PeerFrame.Decode(new ReadOnlySequence<byte>(writer.Written.ToArray())));
            Assert.Null(frames[^1].ProblemAs(PeerFrameKind.Requests, 2));
        }

        return frames;
    }
}
