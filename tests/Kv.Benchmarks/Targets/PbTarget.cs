using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Kv.Benchmarks.Load;
using Kv.Protos.Riak;

namespace Kv.Benchmarks.Targets;

/// <summary>The ring by Riak's Protocol Buffers, as Riak's clients use it: a connection a caller, one request at a time on it, spread over the nodes.</summary>
internal sealed class PbTarget(LocalRing ring) : ILoadTarget
{
    public string Name => "pb";

    public IReadOnlyList<int> ServerPids => ring.Pids;

    public async ValueTask<ILoadConnection> ConnectAsync(int caller)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(ring.PbEndpoints[caller % ring.PbEndpoints.Count]));
        return new Connection(socket);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Connection(Socket socket) : ILoadConnection
    {
        private const byte GetRequest = 9;
        private const byte GetAnswer = 10;
        private const byte PutRequest = 11;
        private const byte PutAnswer = 12;

        private static readonly ByteString Bucket = ByteString.CopyFromUtf8("bench");
        private static readonly ByteString Octets = ByteString.CopyFromUtf8("application/octet-stream");
        private byte[] _buffer = new byte[8192];

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> value)
        {
            var content = new RpbContent { Value = UnsafeByteOperations.UnsafeWrap(value), ContentType = Octets };
            await AskAsync(PutRequest, new RpbPutReq { Bucket = Bucket, Key = ByteString.CopyFromUtf8(key), Content = content }, PutAnswer);
        }

        public async ValueTask GetAsync(string key)
        {
            var answer = await AskAsync(GetRequest, new RpbGetReq { Bucket = Bucket, Key = ByteString.CopyFromUtf8(key) }, GetAnswer);
            if (RpbGetResp.Parser.ParseFrom(answer.Span).Content.Count == 0)
            {
                throw new InvalidOperationException($"get of {key} found nothing");
            }
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        private async ValueTask<ReadOnlyMemory<byte>> AskAsync(byte code, IMessage message, byte expected)
        {
            var bytes = message.CalculateSize();
            Grow(5 + bytes);
            BinaryPrimitives.WriteUInt32BigEndian(_buffer, (uint)bytes + 1);
            _buffer[4] = code;
            message.WriteTo(_buffer.AsSpan(5, bytes));
            await socket.SendAsync(_buffer.AsMemory(0, 5 + bytes));

            var got = 0;
            while (got < 5 || got < 4 + (int)BinaryPrimitives.ReadUInt32BigEndian(_buffer))
            {
                Grow(got < 5 ? 5 : 4 + (int)BinaryPrimitives.ReadUInt32BigEndian(_buffer));
                var more = await socket.ReceiveAsync(_buffer.AsMemory(got));
                got += more > 0 ? more : throw new InvalidOperationException("the node hung up");
            }

            return _buffer[4] == expected ? _buffer.AsMemory(5, got - 5) : throw new InvalidOperationException($"code {_buffer[4]} in answer to {code}");
        }

        private void Grow(int bytes)
        {
            if (_buffer.Length < bytes)
            {
                Array.Resize(ref _buffer, bytes * 2);
            }
        }
    }
}
