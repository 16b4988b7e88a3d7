using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Kv.Core.DataTypes;

namespace Kv.Wire.Peer;

/// <summary>
/// An operation on a data type as one node hands it on to another. Every operation begins with the code of its <see cref="DataTypeKind"/> (u8).
/// <code>
/// counter    amount (bytes, two's complement)
/// set        adds | removes, each a count i32 and that many bytes
/// gset, hll  adds
/// register   value (bytes)
/// flag       enable u8
/// map        count i32 of updates, each: field, operation | count i32 of removes, each: field. A field is its kind u8 and its name (bytes)
/// </code>
/// </summary>
internal static class DataTypeOperationCodec
{
    // Deeper maps are refused by the vnode, with a better reason.
    private const int MaxDepth = 64;

    public static void Write(WireWriter writer, DataTypeOperation operation)
    {
        writer.U8((byte)operation.Kind);
        switch (operation)
        {
            case DataTypeOperation.Increment increment:
                writer.Bytes(increment.Amount.ToByteArray());
                break;
            case DataTypeOperation.ChangeSet change:
                WriteMembers(writer, change.Adds);
                WriteMembers(writer, change.Removes);
                break;
            case DataTypeOperation.Grow grow:
                WriteMembers(writer, grow.Adds);
                break;
            case DataTypeOperation.Observe observe:
                WriteMembers(writer, observe.Adds);
                break;
            case DataTypeOperation.Assign assign:
                writer.Bytes(assign.Value.Span);
                break;
            case DataTypeOperation.SetFlag flag:
                writer.Flag(flag.Enable);
                break;
            case DataTypeOperation.ChangeMap change:
                writer.I32(change.Updates.Length);
                foreach (var (field, inner) in change.Updates)
                {
                    WriteField(writer, field);
                    Write(writer, inner);
                }

                writer.I32(change.Removes.Length);
                foreach (var field in change.Removes)
                {
                    WriteField(writer, field);
                }

                break;
        }
    }

    /// <summary>What it returns counts only if the reader has not failed at the end.</summary>
    public static DataTypeOperation Read(ref WireReader reader) => Read(ref reader, 0);

    private static DataTypeOperation Read(ref WireReader reader, int depth)
    {
        var kind = (DataTypeKind)reader.U8();
        switch (kind)
        {
            case DataTypeKind.Counter:
                return new DataTypeOperation.Increment(new BigInteger(reader.Bytes().Span));
            case DataTypeKind.Set:
                return new DataTypeOperation.ChangeSet(ReadMembers(ref reader), ReadMembers(ref reader));
            case DataTypeKind.GSet:
                return new DataTypeOperation.Grow(ReadMembers(ref reader));
            case DataTypeKind.HyperLogLog:
                return new DataTypeOperation.Observe(ReadMembers(ref reader));
            case DataTypeKind.Register:
                return new DataTypeOperation.Assign(reader.Bytes());
            case DataTypeKind.Flag:
                return new DataTypeOperation.SetFlag(reader.Flag());
            case DataTypeKind.Map when depth < MaxDepth:
                return ReadMap(ref reader, depth);
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"no operation of kind {(int)kind} at depth {depth}"));
                return new DataTypeOperation.SetFlag(false);
        }
    }

    private static DataTypeOperation.ChangeMap ReadMap(ref WireReader reader, int depth)
    {
        var updates = ImmutableArray.CreateBuilder<KeyValuePair<FieldName, DataTypeOperation>>();
        for (var left = reader.Count(leastBytes: 7); left > 0 && !reader.Failed; left--)
        {
            updates.Add(KeyValuePair.Create(ReadField(ref reader), Read(ref reader, depth + 1)));
        }

        var removes = ImmutableArray.CreateBuilder<FieldName>();
        for (var left = reader.Count(leastBytes: 5); left > 0 && !reader.Failed; left--)
        {
            removes.Add(ReadField(ref reader));
        }

        return new DataTypeOperation.ChangeMap(updates.DrainToImmutable(), removes.DrainToImmutable());
    }

    private static void WriteField(WireWriter writer, FieldName field)
    {
        writer.U8((byte)field.Kind);
        writer.Bytes(field.Name.Span);
    }

    private static FieldName ReadField(ref WireReader reader)
    {
        var kind = (DataTypeKind)reader.U8();
        if (kind is < DataTypeKind.Counter or > DataTypeKind.Map)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"no field is of kind {(int)kind}"));
        }

        return new FieldName(reader.Bytes(), kind);
    }

    private static void WriteMembers(WireWriter writer, ImmutableArray<ReadOnlyMemory<byte>> members)
    {
        writer.I32(members.Length);
        foreach (var member in members)
        {
            writer.Bytes(member.Span);
        }
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> ReadMembers(ref WireReader reader)
    {
        var members = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (var left = reader.Count(leastBytes: 4); left > 0 && !reader.Failed; left--)
        {
            members.Add(reader.Bytes());
        }

        return members.DrainToImmutable();
    }
}
