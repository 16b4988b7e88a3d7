using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Kv.Core.Codecs;

namespace Kv.Core.DataTypes;

/// <summary>
/// A state's bytes, the value of a stored object. They begin as Riak's do (reference 5.1), so that what shows one raw knows it for what it is; the state itself is ours. One
/// form for one state: replicas that hold the same hold the same bytes.
/// <code>
/// 69 (1), 2 (1), length of the name (4, big endian), name of Riak's module, state version, 1 (1)
/// gset:     count, members (blocks)
/// hll:      precision (1), form (1): 0, all registers (1 each); or 1, count, then each register that is not 0: distance from the one before, value (1)
/// others:   clock, store (<see cref="DotStoreCodec"/>), count of deferred removals, then each: path (count, fields), members (count, blocks), fields (count, fields), clock
/// </code>
/// Counts are varints, blocks have a varint length.
/// </summary>
public static class DataTypeCodec
{
    private const byte Tag = 69;
    private const byte HeaderVersion = 2;
    private const byte StateVersion = 1;
    private const byte Dense = 0;
    private const byte Sparse = 1;

    private static readonly (DataTypeKind Kind, byte[] Module)[] Modules =
    [
        (DataTypeKind.Counter, "riak_dt_pncounter"u8.ToArray()),
        (DataTypeKind.Set, "riak_dt_orswot"u8.ToArray()),
        (DataTypeKind.Map, "riak_dt_map"u8.ToArray()),
        (DataTypeKind.GSet, "riak_dt_gset"u8.ToArray()),
        (DataTypeKind.HyperLogLog, "riak_kv_hll"u8.ToArray()),
    ];

    public static ReadOnlyMemory<byte> Encode(DataType state)
    {
        var writer = new GrowingWriter();
        var module = Modules.First(known => known.Kind == state.Kind).Module;
        writer.WriteByte(Tag);
        writer.WriteByte(HeaderVersion);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, module.Length);
        writer.WriteRaw(length);
        writer.WriteRaw(module);
        writer.WriteByte(StateVersion);
        switch (state)
        {
            case GrowOnlySet set:
                DotStoreCodec.WriteMembers(writer, set.Members);
                break;
            case HyperLogLog estimate:
                Write(writer, estimate);
                break;
            case CausalDataType causal:
                Write(writer, causal);
                break;
        }

        return writer.Written;
    }

    /// <summary>Reads <see cref="Encode"/>'s bytes. False, with a reason, for others.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DataType? state, out string reason)
    {
        state = null;
        reason = "no state of a data type";
        if (bytes.Length < 6 || bytes[0] != Tag || bytes[1] != HeaderVersion)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(bytes[2..]);
        if (length < 0 || length > bytes.Length - 7 || KindOf(bytes.Slice(6, length)) is not { } kind)
        {
            return false;
        }

        var reader = new ByteReader(bytes, 6 + length);
        var version = reader.ReadByte();
        if (version != StateVersion)
        {
            reason = FormattableString.Invariant($"a state of a data type of version {version}, and this program knows version {StateVersion}");
            return false;
        }

        state = Read(ref reader, kind);
        state = reader.Failed || reader.Left != 0 ? null : state;
        reason = state is null ? "a state of a data type that is cut short or malformed" : "";
        return state is not null;
    }

    private static DataTypeKind? KindOf(ReadOnlySpan<byte> module)
    {
        foreach (var known in Modules)
        {
            if (module.SequenceEqual(known.Module))
            {
                return known.Kind;
            }
        }

        return null;
    }

    private static DataType? Read(ref ByteReader reader, DataTypeKind kind) => kind switch
    {
        DataTypeKind.GSet => new GrowOnlySet(DotStoreCodec.ReadMembers(ref reader)),
        DataTypeKind.HyperLogLog => ReadEstimate(ref reader),
        _ => ReadCausal(ref reader, kind),
    };

    private static void Write(GrowingWriter writer, HyperLogLog estimate)
    {
        var registers = estimate.Registers;
        var used = registers.Length - registers.Count((byte)0);
        writer.WriteByte((byte)estimate.Precision);
        writer.WriteByte(used < registers.Length / 4 ? Sparse : Dense);
        if (used >= registers.Length / 4)
        {
            writer.WriteRaw(registers);
            return;
        }

        writer.WriteVarint((ulong)used);
        var last = -1;
        for (var at = 0; at < registers.Length; at++)
        {
            if (registers[at] != 0)
            {
                writer.WriteVarint((ulong)(at - last));
                writer.WriteByte(registers[at]);
                last = at;
            }
        }
    }

    private static HyperLogLog? ReadEstimate(ref ByteReader reader)
    {
        var precision = reader.ReadByte();
        var form = reader.ReadByte();
        if (precision is < HyperLogLog.LeastPrecision or > HyperLogLog.MostPrecision || form > Sparse)
        {
            return null;
        }

        var registers = new byte[1 << precision];
        var used = form == Sparse ? reader.ReadCount(2) : registers.Length;
        var at = -1L;
        for (var left = used; left > 0 && !reader.Failed; left--)
        {
            at += form == Sparse ? reader.ReadVarint32() : 1;
            var value = reader.ReadByte();
            if (at < 0 || at >= registers.Length || value > 64 - precision + 1)
            {
                return null;
            }

            registers[at] = value;
        }

        return new HyperLogLog(precision, registers);
    }

    private static void Write(GrowingWriter writer, CausalDataType state)
    {
        writer.WriteClock(state.Clock);
        DotStoreCodec.Write(writer, state.Root, state.Clock);
        writer.WriteVarint((ulong)state.Deferred.Length);
        foreach (var removal in state.Deferred)
        {
            DotStoreCodec.Write(writer, removal);
        }
    }

    private static CausalDataType? ReadCausal(ref ByteReader reader, DataTypeKind kind)
    {
        if (ClockCodec.Read(ref reader, out _) is not { } clock || DotStoreCodec.Read(ref reader, kind, clock, 0) is not { } root)
        {
            return null;
        }

        var deferred = ImmutableArray.CreateBuilder<DeferredRemoval>(reader.ReadCount(3));
        for (var left = deferred.Capacity; left > 0 && !reader.Failed; left--)
        {
            if (DotStoreCodec.ReadRemoval(ref reader) is not { } removal)
            {
                return null;
            }

            deferred.Add(removal);
        }

        return new CausalDataType(kind, clock, root, deferred.ToImmutable());
    }
}
