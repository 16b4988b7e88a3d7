using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Kv.Protos.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>One connection as a client has it: frames out, frames in.</summary>
public sealed class PbClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket socket;
    private Stream stream;

    private PbClient(Socket socket)
    {
        this.socket = socket;
        stream = new NetworkStream(socket, ownsSocket: false);
    }

    public static async Task<PbClient> ConnectAsync(IPEndPoint server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        return new PbClient(socket);
    }

    public static byte[] Frame(int code, IMessage? message = null)
    {
        var body = message?.ToByteArray() ?? [];
        var frame = new byte[5 + body.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)body.Length + 1);
        frame[4] = (byte)code;
        body.CopyTo(frame, 5);
        return frame;
    }

    public Task SendAsync(byte[] bytes) => stream.WriteAsync(bytes).AsTask();

    /// <summary>The next frame; null where the server has hung up.</summary>
    public async Task<(int Code, byte[] Message)?> ReadAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var header = new byte[4];
        try
        {
            if (await stream.ReadAtLeastAsync(header, 4, throwOnEndOfStream: false, limit.Token) < 4)
            {
                return null;
            }
        }
        catch (IOException)
        {
            return null;
        }

        var body = new byte[BinaryPrimitives.ReadUInt32BigEndian(header)];
        await stream.ReadExactlyAsync(body, limit.Token);
        return (body[0], body[1..]);
    }

    public async Task<(int Code, byte[] Message)> AskAsync(int code, IMessage? message = null)
    {
        await SendAsync(Frame(code, message));
        return await ReadAsync() ?? throw new IOException("the server hung up");
    }

    /// <summary>Asks, and expects an answer of that code.</summary>
    public async Task<T> AskAsync<T>(int code, IMessage message, int answer, MessageParser<T> parser)
        where T : IMessage<T>
    {
        var (got, body) = await AskAsync(code, message);
        Assert.True(got == answer, got == 0 ? RpbErrorResp.Parser.ParseFrom(body).Errmsg.ToStringUtf8() : $"code {got}");
        return parser.ParseFrom(body);
    }

    /// <summary>Asks, and expects an error; gives its text.</summary>
    public async Task<string> FailAsync(int code, IMessage? message = null)
    {
        var (got, body) = await AskAsync(code, message);
        Assert.Equal(0, got);
        var error = RpbErrorResp.Parser.ParseFrom(body);
        Assert.Equal(0u, error.Errcode);
        return error.Errmsg.ToStringUtf8();
    }

    /// <summary>Asks for TLS and does the handshake; any certificate of the server's will do.</summary>
    public async Task StartTlsAsync(X509Certificate2? certificate = null)
    {
        Assert.Equal(255, (await AskAsync(255)).Code);
        var secured = new SslStream(stream);
        await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificates = certificate is null ? [] : [certificate],
            RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null,
        });
        stream = secured;
    }

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }
}
