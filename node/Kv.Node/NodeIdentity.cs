using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Node;

/// <summary>
/// Who this node is: 64 random bits, drawn once and kept on its volume under the name `node-id`. A node with an empty volume is another node.
/// <code>
/// version u8 (1) | id u64, little-endian
/// </code>
/// </summary>
public static class NodeIdentity
{
    private const string StateName = "node-id";
    private const byte FormatVersion = 1;
    private const int Bytes = 9;

    /// <summary>
    /// The id on the volume; drawn and made durable first where there is none. Throws <see cref="StoreException"/> on a damaged one, and where there is none and
    /// <paramref name="stores"/> hold data.
    /// </summary>
    public static async Task<NodeId> ReadOrDrawAsync(INodeState state, IPartitionStores stores, CancellationToken cancel)
    {
        await LostState.ThrowIfLostAsync(state, StateName, stores, cancel);
        if (await state.ReadAsync(StateName, cancel) is { } kept)
        {
            return Decode(kept.Span);
        }

        Span<byte> bits = stackalloc byte[8];
        do
        {
            RandomNumberGenerator.Fill(bits);
        }
        while (BinaryPrimitives.ReadUInt64LittleEndian(bits) == NodeId.None.Value);
        var bytes = new byte[Bytes];
        bytes[0] = FormatVersion;
        bits.CopyTo(bytes.AsSpan(1));
        var id = new NodeId(BinaryPrimitives.ReadUInt64LittleEndian(bits));
        await state.WriteAsync(StateName, bytes, cancel);
        return id;
    }

    private static NodeId Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && bytes[0] != FormatVersion)
        {
            throw new StoreException(string.Create(
                CultureInfo.InvariantCulture, $"{StateName} has format version {bytes[0]}; this program reads version {FormatVersion}"));
        }

        var id = bytes.Length == Bytes ? new NodeId(BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..])) : NodeId.None;
        return id != NodeId.None ? id : throw new StoreException(string.Create(
            CultureInfo.InvariantCulture, $"{StateName} is damaged: {bytes.Length} bytes where {Bytes} are expected, or no id in them"));
    }
}
