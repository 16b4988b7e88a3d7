using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Kv.Wire.Native;

/// <summary>What stands before each message of a gRPC call: whether it is compressed (1 byte), and its length (4, big-endian).</summary>
internal readonly record struct GrpcPrefix(bool IsCompressed, uint MessageBytes)
{
    private const int Bytes = 5;

    /// <summary>Looks at the next message's prefix and consumes nothing, so that its bytes come no further than the stream's window; null where there is no more.</summary>
    public static async ValueTask<GrpcPrefix?> PeekAsync(PipeReader body, CancellationToken cancel)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancel);
            var buffer = result.Buffer;
            if (buffer.Length >= Bytes)
            {
                var prefix = Read(buffer);
                body.AdvanceTo(buffer.Start);
                return prefix;
            }

            body.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || result.IsCanceled)
            {
                return null;
            }
        }
    }

    private static GrpcPrefix Read(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[Bytes];
        buffer.Slice(0, Bytes).CopyTo(prefix);
        return new GrpcPrefix(prefix[0] != 0, BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]));
    }
}
