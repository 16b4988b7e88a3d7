using System.Buffers.Binary;
using Kv.Fuzz.Doors;
using Kv.Fuzz.Running;
using Kv.Wire.Riak.Pb;

namespace Kv.Fuzz.Targets;

/// <summary>The bytes of a connection of Riak's Protocol Buffers.</summary>
internal sealed class PbFramesTarget : RiakTarget
{
    public override string Name => "pb-frames";

    public override IEnumerable<byte[]> Seeds => [.. PbSamples.Messages.Select(PbSamples.Frame), [.. PbSamples.Messages.SelectMany(PbSamples.Frame)], [0, 0, 0, 1, (byte)PbCode.StartTls]];

    protected override async Task TakeAsync(RiakNode riak, byte[] input) => CheckFrames(await riak.AskPbAsync(input));

    /// <summary>What comes back is frames, and all of each.</summary>
    public static void CheckFrames(ReadOnlySpan<byte> answer)
    {
        while (!answer.IsEmpty)
        {
            FuzzFailure.Unless(answer.Length > PbFrame.LengthBytes, "an answer ends in a length");
            var length = BinaryPrimitives.ReadUInt32BigEndian(answer);
            FuzzFailure.Unless(length > 0 && length <= answer.Length - PbFrame.LengthBytes, $"an answer has a frame of {length} bytes, and {answer.Length - PbFrame.LengthBytes} are left");
            FuzzFailure.Unless(Enum.IsDefined((PbCode)answer[PbFrame.LengthBytes]), $"an answer has the code {answer[PbFrame.LengthBytes]}");
            answer = answer[(PbFrame.LengthBytes + (int)length)..];
        }
    }
}
