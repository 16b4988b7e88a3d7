using System.Buffers;
using Kv.Fuzz.Running;
using Kv.Wire.Peer;

namespace Kv.Fuzz.Targets;

/// <summary>Frames between nodes: handshakes, requests, replies, and long messages in pieces. Several frames are one input, each behind its length (2 bytes, little endian).</summary>
internal sealed class PeersTarget : FuzzTarget
{
    private const int LongestMessage = 64 * 1024;
    private const byte Newest = 1;

    public override string Name => "peers";

    /// <summary>The longest message of pieces, at each beginning of one.</summary>
    public override long FixedBytes => 1024 * 1024;

    public override long BytesPerByte => 2048 + (LongestMessage / (2 + PeerFrame.HeaderBytes + PeerFrame.EnvelopeBytes));

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var frames = Resources.Lines("peer-v1.txt").Where(line => line.Length > 0).Select(line => Convert.FromHexString(line.Split(' ')[^1])).ToList();
            var request = frames[1];
            byte[] begin = [request[0], (byte)PeerFrameKind.LongBegin, 0, 0, .. request[4..50]];
            byte[] more = [request[0], (byte)PeerFrameKind.LongMore, 0, 0, .. request[50..]];
            return [.. frames.Select(frame => Behind(frame)), Behind(begin, more)];
        }
    }

    public override void Take(byte[] input)
    {
        var pieces = new LongReceiver(LongestMessage, static (_, bytes) => new byte[bytes]);
        for (var at = 0; at + 2 <= input.Length;)
        {
            var length = Math.Min(input[at] | (input[at + 1] << 8), input.Length - at - 2);
            Take(PeerFrame.Decode(new ReadOnlySequence<byte>(input, at + 2, length)), pieces);
            at += 2 + length;
        }
    }

    private static void Take(PeerFrame frame, LongReceiver pieces)
    {
        Handshakes(frame);
        if (frame.Problem is not null)
        {
            return;
        }

        foreach (var message in frame.Kind is PeerFrameKind.Requests or PeerFrameKind.Replies ? frame.Messages : [])
        {
            Message(message);
        }

        if (frame.Kind is PeerFrameKind.LongBegin or PeerFrameKind.LongMore && pieces.Take(frame) is null && pieces.IsComplete)
        {
            Message(pieces.Message);
        }
    }

    private static void Handshakes(PeerFrame frame)
    {
        using var writer = new WireWriter();
        if (PeerHello.Decode(frame).Hello is { } hello)
        {
            var encoded = PeerHello.Encode(hello, writer).Encoded.ToArray();
            FuzzFailure.Unless(PeerHello.Decode(PeerFrame.Decode(new ReadOnlySequence<byte>(encoded))).Hello == hello, "a hello differs");
        }

        if (PeerWelcome.Decode(frame).Welcome is { } welcome)
        {
            var encoded = PeerWelcome.Encode(welcome, writer).Encoded.ToArray();
            FuzzFailure.Unless(PeerWelcome.Decode(PeerFrame.Decode(new ReadOnlySequence<byte>(encoded))).Welcome == welcome, "a welcome differs");
        }
    }

    /// <summary>As a request and as a reply: the codes are of either.</summary>
    private static void Message(in PeerEnvelope message)
    {
        if (PeerCodec.TryReadRequest(message, out var request, out var problem))
        {
            var first = Written(PeerFrameKind.Requests, writer => PeerCodec.WriteRequest(writer, 9, 1500, request));
            FuzzFailure.Unless(PeerCodec.TryReadRequest(Envelope(first), out var again, out problem), $"a request that was written cannot be read: {problem}");
            FuzzFailure.UnlessSame(first, Written(PeerFrameKind.Requests, writer => PeerCodec.WriteRequest(writer, 9, 1500, again!)), "a request");
        }

        if (PeerCodec.TryReadReply(message, out var reply, out problem))
        {
            var first = Written(PeerFrameKind.Replies, writer => PeerCodec.WriteReply(writer, 9, reply, int.MaxValue));
            FuzzFailure.Unless(PeerCodec.TryReadReply(Envelope(first), out var again, out problem), $"a reply that was written cannot be read: {problem}");
            FuzzFailure.UnlessSame(first, Written(PeerFrameKind.Replies, writer => PeerCodec.WriteReply(writer, 9, again!, int.MaxValue)), "a reply");
        }
    }

    private static PeerEnvelope Envelope(byte[] frame) => PeerFrame.Decode(new ReadOnlySequence<byte>(frame)).Messages[0];

    private static byte[] Written(PeerFrameKind kind, Action<WireWriter> write)
    {
        using var writer = new WireWriter();
        PeerFrame.Begin(writer, kind, Newest);
        write(writer);
        return PeerFrame.Finish(writer, 1).Encoded.ToArray();
    }

    private static byte[] Behind(params byte[][] frames) => [.. frames.SelectMany(frame => (byte[])[(byte)frame.Length, (byte)(frame.Length >> 8), .. frame])];
}
