using Kv.Core.Stores;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>Copies values out of RocksDB's memory; long ones only where there is room for them.</summary>
/// <param name="longBytes">Values longer than this are long.</param>
/// <param name="room">Gives the room for a long value, or null.</param>
internal sealed class OrderedValue(int longBytes, Func<int, byte[]?> room) : ISpanDeserializer<OrderedValue.Read?>
{
    /// <summary>What a read found; without content where there was no room for it.</summary>
    internal sealed record Read(byte[]? Bytes, int Length)
    {
        /// <exception cref="StoreRefusedException">There is no memory for it.</exception>
        public ReadOnlyMemory<byte> Content() => Bytes ?? throw Refused(Length);
    }

    public Read? Deserialize(ReadOnlySpan<byte> buffer) => new(TryCopyBytes(buffer), buffer.Length);

    /// <exception cref="StoreRefusedException">There is no memory for it.</exception>
    public ReadOnlyMemory<byte> CopyOf(ReadOnlySpan<byte> content) => TryCopyBytes(content) ?? throw Refused(content.Length);

    /// <summary>The copy; null where there is no room for it.</summary>
    public ReadOnlyMemory<byte>? TryCopy(ReadOnlySpan<byte> content) => TryCopyBytes(content) is { } copy ? copy : default(ReadOnlyMemory<byte>?);

    private static StoreRefusedException Refused(int length) => new($"There is no memory for a value of {length} bytes.");

    private byte[]? TryCopyBytes(ReadOnlySpan<byte> content)
    {
        if (content.Length <= longBytes)
        {
            return content.ToArray();
        }

        try
        {
            var copy = room(content.Length);
            if (copy is not null)
            {
                content.CopyTo(copy);
            }

            return copy;
        }
        catch (OutOfMemoryException)
        {
            // As for FASTER's long values: no reason to end a node that can serve all others.
            return null;
        }
    }
}
