using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;

namespace Kv.Protos;

/// <summary>
/// A client's connection of Riak's Protocol Buffers, for one caller and one request at a time. A frame is length (4 bytes, big endian, code included), code (1 byte), message.
/// Fails with <see cref="IOException"/> or <see cref="SocketException"/> where it breaks, and with <see cref="InvalidDataException"/> where what comes is no frame; it is of no use then.
/// </summary>
public sealed class RiakConnection : IDisposable
{
    /// <summary>Above every answer of a node: another protocol's first bytes are a larger number.</summary>
    private const int MaxFrameBytes = 512 * 1024 * 1024;

    private const int LengthBytes = 4;
    private const byte StartTls = 255;

    private readonly Socket socket;
    private Stream stream;

    private RiakConnection(Socket socket)
    {
        this.socket = socket;
        stream = new NetworkStream(socket, ownsSocket: false);
    }

    /// <param name="address">`host:port`; an IPv6 host stands in brackets.</param>
    /// <param name="cancel">Gives the attempt up.</param>
    public static async Task<RiakConnection> ConnectAsync(string address, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var at = address.LastIndexOf(':');
            await socket.ConnectAsync(address[..at].Trim('[', ']'), int.Parse(address.AsSpan(at + 1), CultureInfo.InvariantCulture), cancel);
            return new RiakConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks for TLS and does the handshake; an answer that refuses it comes back, null where it is done.</summary>
    public async Task<(byte Code, byte[] Message)?> StartTlsAsync(SslClientAuthenticationOptions options, CancellationToken cancel)
    {
        var answer = await AskAsync(StartTls, null, cancel);
        if (answer.Code != StartTls)
        {
            return answer;
        }

        var secured = new SslStream(stream);
        stream = secured;
        await secured.AuthenticateAsClientAsync(options, cancel);
        return null;
    }

    /// <summary>Code and message of the answer: of a stream, the first.</summary>
    public async Task<(byte Code, byte[] Message)> AskAsync(byte code, IMessage? message, CancellationToken cancel)
    {
        var frame = new byte[LengthBytes + 1 + (message?.CalculateSize() ?? 0)];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - LengthBytes);
        frame[LengthBytes] = code;
        message?.WriteTo(frame.AsSpan(LengthBytes + 1));
        await stream.WriteAsync(frame, cancel);
        return await ReadAsync(cancel);
    }

    /// <summary>The next frame of a stream's answer.</summary>
    public async Task<(byte Code, byte[] Message)> ReadAsync(CancellationToken cancel)
    {
        var header = new byte[LengthBytes + 1];
        await stream.ReadExactlyAsync(header, cancel);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (length is 0 or > MaxFrameBytes)
        {
            throw new InvalidDataException("what answers there does not speak Riak's Protocol Buffers");
        }

        var message = new byte[length - 1];
        await stream.ReadExactlyAsync(message, cancel);
        return (header[LengthBytes], message);
    }

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }
}
