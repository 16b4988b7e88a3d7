using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Kv.Benchmarks.Load;

namespace Kv.Benchmarks.Targets;

/// <summary>One Redis that syncs each write: no replicas, so a lower bound of what durability costs.</summary>
internal sealed class RedisTarget : ILoadTarget
{
    private const int Port = 19379;

    private readonly ServerProcess _server;

    private RedisTarget(ServerProcess server) => _server = server;

    public string Name => "redis (1 node, appendfsync always)";

    public IReadOnlyList<int> ServerPids => [_server.Pid];

    public static RedisTarget Start(string program, string directory)
    {
        Directory.CreateDirectory(directory);
        string[] arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", directory,
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        ];
        return new RedisTarget(ServerProcess.Start(program, arguments, directory + ".log"));
    }

    public async ValueTask<ILoadConnection> ConnectAsync(int caller)
    {
        for (var attempt = 1; ; attempt++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync("127.0.0.1", Port);
                return new Connection(socket);
            }
            catch (SocketException) when (attempt < 100)
            {
                socket.Dispose();
                await Task.Delay(50);
            }
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Connection(Socket socket) : ILoadConnection
    {
        private readonly byte[] _buffer = new byte[64 * 1024];

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> value)
        {
            var head = string.Create(CultureInfo.InvariantCulture, $"*3\r\n$3\r\nSET\r\n${key.Length}\r\n{key}\r\n${value.Length}\r\n");
            byte[] command = [.. Encoding.ASCII.GetBytes(head), .. value.Span, (byte)'\r', (byte)'\n'];
            await socket.SendAsync(command);
            await ReadAsync(expectBulk: false);
        }

        public async ValueTask GetAsync(string key)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*2\r\n$3\r\nGET\r\n${key.Length}\r\n{key}\r\n")));
            await ReadAsync(expectBulk: true);
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        private async ValueTask ReadAsync(bool expectBulk)
        {
            var have = 0;
            var wanted = 0;
            while (wanted == 0 || have < wanted)
            {
                var read = await socket.ReceiveAsync(_buffer.AsMemory(have));
                if (read == 0)
                {
                    throw new IOException("redis hung up");
                }

                have += read;
                var lineEnd = _buffer.AsSpan(0, have).IndexOf((byte)'\n');
                if (wanted == 0 && lineEnd > 0)
                {
                    var line = Encoding.ASCII.GetString(_buffer, 0, lineEnd - 1);
                    if (line[0] == '-' || line == "$-1")
                    {
                        throw new IOException($"redis answered {line}");
                    }

                    wanted = lineEnd + 1 + (expectBulk ? int.Parse(line.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture) + 2 : 0);
                }
            }
        }
    }
}
