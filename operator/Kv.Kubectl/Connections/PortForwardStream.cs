using System.Buffers;
using System.Net.WebSockets;
using System.Text;

namespace Kv.Kubectl.Connections;

/// <summary>
/// A forwarded port as a stream. The WebSocket carries messages whose first byte is a channel: 0 is data, 1 is an error's text; the first message of
/// each channel is the port's number and no data. One reader and one writer at a time, together.
/// </summary>
internal sealed class PortForwardStream(WebSocket socket) : Stream
{
    private const byte Data = 0;
    private const byte Failure = 1;
    private const int PortBytes = 2;
    private const int MaxFrameBytes = 32 * 1024;
    private const int MaxErrorBytes = 4096;

    private readonly byte[] buffer = new byte[MaxFrameBytes];
    private readonly int[] toSkip = [PortBytes, PortBytes];
    private readonly StringBuilder failure = new();
    private int channel = -1;
    private int start;
    private int end;
    private bool isEndOfMessage = true;
    private bool hasData;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        while (start == end)
        {
            if (!await ReceiveAsync(cancellationToken))
            {
                return failure.Length == 0 ? 0 : throw Lost(null);
            }
        }

        var count = Math.Min(destination.Length, end - start);
        buffer.AsMemory(start, count).CopyTo(destination);
        start += count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        var frame = ArrayPool<byte>.Shared.Rent(MaxFrameBytes);
        try
        {
            frame[0] = Data;
            while (source.Length > 0)
            {
                var count = Math.Min(source.Length, MaxFrameBytes - 1);
                source[..count].CopyTo(frame.AsMemory(1));
                await socket.SendAsync(frame.AsMemory(0, count + 1), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
                source = source[count..];
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException)
        {
            throw Lost(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
        // Each write is sent at once.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            socket.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>A reader and a writer meet the end both, in any order; either may be the one whose error is told.</summary>
    private IOException Lost(Exception? cause) => failure.Length > 0 && !hasData
        ? new PodRefusedException($"the pod refused the connection: {failure}")
        : new IOException($"the port-forward was lost: {(failure.Length > 0 ? failure.ToString() : cause?.GetBaseException().Message)}", cause);

    /// <summary>Takes one frame into the buffer; false at the end. Not all frames leave data there.</summary>
    private async ValueTask<bool> ReceiveAsync(CancellationToken cancel)
    {
        ValueWebSocketReceiveResult received;
        try
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), cancel);
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException)
        {
            throw Lost(e);
        }

        if (received.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        (start, end) = (0, received.Count);
        if (isEndOfMessage && end > 0)
        {
            channel = buffer[0];
            start = 1;
        }

        isEndOfMessage = received.EndOfMessage;
        if (channel is not (Data or Failure))
        {
            start = end;
            return true;
        }

        var skipped = Math.Min(toSkip[channel], end - start);
        toSkip[channel] -= skipped;
        start += skipped;
        if (channel == Failure)
        {
            if (failure.Length < MaxErrorBytes)
            {
                failure.Append(Encoding.UTF8.GetString(buffer, start, end - start));
            }

            start = end;
            return failure.Length == 0;
        }

        hasData |= start < end;
        return true;
    }
}
