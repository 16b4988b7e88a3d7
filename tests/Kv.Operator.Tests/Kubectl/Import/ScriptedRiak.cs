using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Kv.Protos.Riak;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>A Protocol Buffers port before a node's, for what a real source does and a lone node in memory does not: what the script does not answer goes on to the node.</summary>
internal sealed class ScriptedRiak : IAsyncDisposable
{
    private const int LengthBytes = 4;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly LiveNode node;
    private readonly Task accepting;

    public ScriptedRiak(LiveNode node)
    {
        this.node = node;
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Address => listener.LocalEndpoint.ToString()!;

    /// <summary>By code and message, the answer's frames, after which it hangs up where the last is null; null where the node answers.</summary>
    public Func<byte, byte[], IReadOnlyList<(byte Code, IMessage Message)?>?> Script { get; set; } = (_, _) => null;

    public static (byte Code, IMessage Message)? Error(string text) => (0, new RpbErrorResp { Errmsg = LiveNode.Bytes(text), Errcode = 1 });

    /// <summary>An import from here, with its JSON.</summary>
    public async Task<KvRun> ImportAsync(LiveNode target, StateDirectory state, params string[] arguments) =>
        await KvRun.OfAsync(["import", Address, "--endpoint", target.Grpc, "--state", state.Path, "-o", "json", .. arguments]);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await accepting;
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
            {
                served.Add(ServeAsync(await listener.AcceptTcpClientAsync(ending.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var upstream = new TcpClient();
        try
        {
            await upstream.ConnectAsync(IPEndPoint.Parse(node.Pb), ending.Token);
            var (asking, answering) = (client.GetStream(), upstream.GetStream());
            while (true)
            {
                var question = await ReadAsync(asking);
                var (code, body) = (question[LengthBytes], question[(LengthBytes + 1)..]);
                if (Script(code, body) is not { } frames)
                {
                    await PassOnAsync(question, answering, asking);
                    continue;
                }

                foreach (var frame in frames)
                {
                    if (frame is not { } answer)
                    {
                        return;
                    }

                    await asking.WriteAsync(FrameOf(answer.Code, answer.Message), ending.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The import, or the test, has ended.
        }
    }

    private async Task PassOnAsync(byte[] question, NetworkStream answering, NetworkStream asking)
    {
        await answering.WriteAsync(question, ending.Token);
        byte[] frame;
        do
        {
            frame = await ReadAsync(answering);
            await asking.WriteAsync(frame, ending.Token);
        }
        while (!IsLast(frame[LengthBytes], frame.AsSpan(LengthBytes + 1)));
    }

    private static bool IsLast(byte code, ReadOnlySpan<byte> body) => code switch
    {
        16 => RpbListBucketsResp.Parser.ParseFrom(body).Done,
        18 => RpbListKeysResp.Parser.ParseFrom(body).Done,
        _ => true,
    };

    private async Task<byte[]> ReadAsync(NetworkStream stream)
    {
        var length = new byte[LengthBytes];
        await stream.ReadExactlyAsync(length, ending.Token);
        var frame = new byte[LengthBytes + BinaryPrimitives.ReadInt32BigEndian(length)];
        length.CopyTo(frame, 0);
        await stream.ReadExactlyAsync(frame.AsMemory(LengthBytes), ending.Token);
        return frame;
    }

    private static byte[] FrameOf(byte code, IMessage message)
    {
        var body = message.ToByteArray();
        var frame = new byte[LengthBytes + 1 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length + 1);
        frame[LengthBytes] = code;
        body.CopyTo(frame, LengthBytes + 1);
        return frame;
    }
}
