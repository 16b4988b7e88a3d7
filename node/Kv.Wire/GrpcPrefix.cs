using System.Buffers;
using System.Buffers.Binary;

namespace Kv.Wire;

/// <summary>What stands before each message of a gRPC call: whether it is compressed (1 byte), and its length (4, big-endian).</summary>
internal readonly record struct GrpcPrefix(bool IsCompressed, uint MessageBytes)
{
    public const int Bytes = 5;

    /// <summary>From the beginning of what is at least as long.</summary>
    public static GrpcPrefix Read(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[Bytes];
        buffer.Slice(0, Bytes).CopyTo(prefix);
        return new GrpcPrefix(prefix[0] != 0, BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]));
    }
}
