using System.Globalization;

namespace Kv.Wire.Peer;

/// <summary>
/// Puts the pieces of a long message together. <paramref name="makeRoom"/> is asked for its buffer when the length is known and nothing else has come; where it
/// gives none, the message's bytes are passed over. Used by a stream's reader alone.
/// </summary>
internal sealed class LongReceiver(int longest, Func<PeerEnvelope, int, byte[]?> makeRoom)
{
    private PeerEnvelope envelope;
    private byte[]? room;
    private int total = -1;
    private int filled;

    /// <summary>Whether the frame ended a message, which is <see cref="Message"/> then.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>With an empty body where there was no room: <see cref="IsRefused"/>.</summary>
    public PeerEnvelope Message => envelope with { Body = room };

    public bool IsRefused => room is null;

    /// <summary>Takes a frame of a long message, or says why it is none.</summary>
    public string? Take(PeerFrame frame)
    {
        IsComplete = false;
        if (frame.Kind == PeerFrameKind.LongBegin)
        {
            if (total >= 0 || frame.LongBodyBytes > longest)
            {
                return string.Create(CultureInfo.InvariantCulture, $"a message of {frame.LongBodyBytes} bytes begins where {total - filled} of another are due and {longest} are allowed");
            }

            (envelope, total, filled) = (frame.Messages[0], (int)frame.LongBodyBytes, 0);
            room = makeRoom(envelope, total);
        }

        if (total < 0 || frame.Body.Length > total - filled)
        {
            return string.Create(CultureInfo.InvariantCulture, $"a piece of {frame.Body.Length} bytes, where {Math.Max(0, total - filled)} are due");
        }

        if (room is not null)
        {
            frame.Body.CopyTo(room.AsMemory(filled));
        }

        filled += frame.Body.Length;
        if (filled == total)
        {
            (IsComplete, total) = (true, -1);
        }

        return null;
    }

    /// <summary>Lets go of what was put together.</summary>
    public void Clear() => room = null;
}
