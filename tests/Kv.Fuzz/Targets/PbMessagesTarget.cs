using System.Buffers.Binary;
using Kv.Fuzz.Doors;
using Kv.Wire.Riak.Pb;

namespace Kv.Fuzz.Targets;

/// <summary>Messages of Riak's Protocol Buffers in frames that are right, so that the messages are what is tried: code (1), length (2, little endian), message, one after another.</summary>
internal sealed class PbMessagesTarget : RiakTarget
{
    public override string Name => "pb-messages";

    public override IReadOnlyList<string> Words => ["siblings", "ordered", "counters", "sets", "gsets", "maps", "hlls", "cache", "keeps", "sleeping", "application/json", "$key", "$bucket", "_bin", "_int", "true"];

    public override IEnumerable<byte[]> Seeds =>
    [
        .. PbSamples.Messages.Select(message => Item(PbSamples.Frame(message))),

        // After the puts there is something to get.
        .. PbSamples.Messages.Select(message => Item(PbSamples.Frame(PbSamples.Put)).Concat(Item(PbSamples.Frame(message))).ToArray()),
    ];

    protected override async Task TakeAsync(RiakNode riak, byte[] input) => PbFramesTarget.CheckFrames(await riak.AskPbAsync(Frames(input)));

    private static byte[] Frames(ReadOnlySpan<byte> input)
    {
        var frames = new List<byte>();
        while (input.Length >= 3)
        {
            var length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(input[1..]), input.Length - 3);
            frames.AddRange([0, 0, (byte)((length + 1) >> 8), (byte)(length + 1), .. input[..1], .. input.Slice(3, length)]);
            input = input[(3 + length)..];
        }

        return [.. frames];
    }

    private static byte[] Item(byte[] frame)
    {
        var length = frame.Length - PbFrame.HeaderBytes;
        return [frame[PbFrame.LengthBytes], (byte)length, (byte)(length >> 8), .. frame[PbFrame.HeaderBytes..]];
    }
}
