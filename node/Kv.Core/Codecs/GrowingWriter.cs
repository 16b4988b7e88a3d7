using System.Buffers;
using Kv.Core.Causality;

namespace Kv.Core.Codecs;

/// <summary>Writes what <see cref="ByteReader"/> reads, where nobody knows beforehand how long it gets.</summary>
internal sealed class GrowingWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new(256);

    public ReadOnlyMemory<byte> Written => buffer.WrittenMemory;

    public void WriteByte(byte value)
    {
        buffer.GetSpan(1)[0] = value;
        buffer.Advance(1);
    }

    public void WriteVarint(ulong value)
    {
        var writer = new ByteWriter(buffer.GetSpan(ByteWriter.MaxVarintBytes));
        writer.WriteVarint(value);
        buffer.Advance(writer.Written);
    }

    /// <summary>A varint length and the bytes.</summary>
    public void WriteBlock(ReadOnlySpan<byte> block)
    {
        WriteVarint((ulong)block.Length);
        buffer.Write(block);
    }

    public void WriteRaw(ReadOnlySpan<byte> bytes) => buffer.Write(bytes);

    public void WriteActor(ActorId actor)
    {
        var writer = new ByteWriter(buffer.GetSpan(ClockCodec.MaxEntryBytes));
        ClockCodec.WriteActor(ref writer, actor);
        buffer.Advance(writer.Written);
    }

    public void WriteClock(VersionVector clock)
    {
        var writer = new ByteWriter(buffer.GetSpan(ClockCodec.MaxBytes(clock)));
        ClockCodec.Write(ref writer, clock);
        buffer.Advance(writer.Written);
    }
}
