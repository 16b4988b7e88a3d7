using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;

namespace Kv.Chaos.Load;

/// <summary>A connection of Riak's Protocol Buffers: one request at a time. A frame is length (4 bytes, big endian, code included), code (1 byte), message.</summary>
internal sealed class PbConnection : IDisposable
{
    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public Task ConnectAsync(string address, CancellationToken cancel) => socket.ConnectAsync(IPEndPoint.Parse(address), cancel).AsTask();

    /// <summary>Code and message of the answer. Fails with <see cref="SocketException"/> or <see cref="EndOfStreamException"/> where the connection breaks.</summary>
    public async Task<(byte Code, byte[] Message)> AskAsync(byte code, IMessage message, CancellationToken cancel)
    {
        var frame = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        frame[4] = code;
        message.WriteTo(frame.AsSpan(5));
        await socket.SendAsync(frame, cancel);
        var length = await ReadAsync(4, cancel);
        var answer = await ReadAsync(BinaryPrimitives.ReadInt32BigEndian(length), cancel);
        return (answer[0], answer[1..]);
    }

    public void Dispose() => socket.Dispose();

    private async Task<byte[]> ReadAsync(int count, CancellationToken cancel)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var more = await socket.ReceiveAsync(bytes.AsMemory(got), cancel);
            got += more > 0 ? more : throw new EndOfStreamException("the node hung up");
        }

        return bytes;
    }
}
