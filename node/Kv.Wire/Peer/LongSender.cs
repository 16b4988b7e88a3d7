namespace Kv.Wire.Peer;

/// <summary>
/// Sends long messages in pieces, one message after another, so that short ones go in between and whoever gets them sees a message's length before its bytes. Used
/// by a stream's writer alone.
/// </summary>
internal sealed class LongSender : IDisposable
{
    private const int PieceBytes = 64 * 1024;

    private readonly Queue<(int SizeHint, Func<WireWriter, bool> Write)> waiting = new();
    private WireWriter? message;
    private int sent;

    /// <summary><paramref name="write"/> writes the whole message when its turn comes; false where it is not to be sent any more.</summary>
    public void Add(int sizeHint, Func<WireWriter, bool> write) => waiting.Enqueue((sizeHint, write));

    /// <summary>Makes a frame of the next piece; false where there is none.</summary>
    public bool TryWritePiece(WireWriter frame, byte version)
    {
        while (message is null)
        {
            if (!waiting.TryDequeue(out var next))
            {
                return false;
            }

            var writer = new WireWriter(next.SizeHint);
            (message, sent) = next.Write(writer) ? (writer, 0) : (null, 0);
            if (message is null)
            {
                writer.Dispose();
            }
        }

        var piece = message.Written.Slice(sent, Math.Min(PieceBytes, message.Length - sent));
        PeerFrame.Begin(frame, sent == 0 ? PeerFrameKind.LongBegin : PeerFrameKind.LongMore, version);
        frame.Raw(piece.Span);
        sent += piece.Length;
        if (sent == message.Length)
        {
            Dispose();
        }

        return true;
    }

    public void Dispose()
    {
        message?.Dispose();
        message = null;
    }
}
