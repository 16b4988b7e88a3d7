using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary>The messages of data types in `kv.v1` ↔ requests, operations and states.</summary>
internal static class NativeDataTypeCodec
{
    public static Decoded<KvRequest.Get> Decode(Proto.FetchDataTypeRequest message, TimeSpan? limit)
    {
        var key = NativeCodec.Key(message.Key, out var error);
        NativeCodec.CheckNVal(message.HasNVal, message.NVal, ref error);
        return error is not null ? new(null, error) : new(
            new KvRequest.Get
            {
                Key = key!,
                Timeout = NativeCodec.Timeout(message.TimeoutMilliseconds, limit),
                SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
                NVal = message.HasNVal ? (int)message.NVal : null,
                NodeConfirms = NativeCodec.Quorum(message.NodeConfirms),
                R = NativeCodec.Quorum(message.R),
                Pr = NativeCodec.Quorum(message.Pr),
                BasicQuorum = message.HasBasicQuorum ? message.BasicQuorum : null,
                NotFoundOk = message.HasNotfoundOk ? message.NotfoundOk : null,
            },
            null);
    }

    /// <summary><paramref name="generated"/> is the key that was made where the request has none.</summary>
    public static Decoded<KvRequest.Put> Decode(Proto.UpdateDataTypeRequest message, TimeSpan? limit, out byte[]? generated)
    {
        generated = message.Key is { Key_.IsEmpty: true } ? GeneratedKey.New() : null;
        var key = NativeCodec.Key(message.Key, out var error, generated);
        var context = NativeCodec.Clock(message.Context, ref error);
        NativeCodec.CheckNVal(message.HasNVal, message.NVal, ref error);
        var operation = Operation(message.Operation, ref error);
        return error is not null ? new(null, error) : new(
            new KvRequest.Put
            {
                Key = key!,
                Content = new Sibling { Dot = null },
                Update = new DataTypeUpdate(operation!, context),
                Timeout = NativeCodec.Timeout(message.TimeoutMilliseconds, limit),
                SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
                NVal = message.HasNVal ? (int)message.NVal : null,
                NodeConfirms = NativeCodec.Quorum(message.NodeConfirms),
                W = NativeCodec.Quorum(message.W),
                Dw = NativeCodec.Quorum(message.Dw),
                Pw = NativeCodec.Quorum(message.Pw),
                ReturnBody = message.ReturnBody,
            },
            null);
    }

    public static Proto.DataTypeKind Kind(DataTypeKind kind) => (Proto.DataTypeKind)kind;

    public static Proto.DataTypeValue Value(DataType state) => state switch
    {
        HyperLogLog estimate => new() { Hll = estimate.Estimate },
        GrowOnlySet set => new() { Gset = Members(set.Members) },
        CausalDataType causal => Value(causal.Root, ByteString.Empty),
        _ => throw new System.Diagnostics.UnreachableException($"{state.Kind} has no message"),
    };

    /// <summary>What a removal has to name later; empty where none needs it.</summary>
    public static ByteString Context(DataType state) =>
        state is CausalDataType { Kind: DataTypeKind.Set or DataTypeKind.Map, Clock: { IsEmpty: false } clock } ? NativeCodec.Wrap(CausalContext.Encode(clock)) : ByteString.Empty;

    private static Proto.DataTypeValue Value(DotStore store, ByteString field)
    {
        switch (store)
        {
            case CounterStore counter:
                return new() { Field = field, Counter = counter.Value.ToString(CultureInfo.InvariantCulture) };
            case RegisterStore register:
                return new() { Field = field, Register = NativeCodec.Wrap(register.Value) };
            case FlagStore flag:
                return new() { Field = field, Flag = flag.Value };
            case SetStore set:
                return new() { Field = field, Set = Members(set.Values) };
            case MapStore map:
                var fields = new Proto.DataTypeFields();
                fields.Fields.Add(map.Entries.Select(entry => Value(entry.Value, NativeCodec.Wrap(entry.Key.Name))));
                return new() { Field = field, Map = fields };
            default:
                throw new System.Diagnostics.UnreachableException($"{store.GetType().Name} has no message");
        }
    }

    private static Proto.Members Members(IEnumerable<ReadOnlyMemory<byte>> members) => new() { Members_ = { members.Select(NativeCodec.Wrap) } };

    private static DataTypeOperation? Operation(Proto.DataTypeOperation? message, ref KvError? error)
    {
        switch (message?.OperationCase)
        {
            case Proto.DataTypeOperation.OperationOneofCase.Increment:
                return Increment(message.Increment, ref error);
            case Proto.DataTypeOperation.OperationOneofCase.Set:
                return new DataTypeOperation.ChangeSet(Members(message.Set.Adds), Members(message.Set.Removes));
            case Proto.DataTypeOperation.OperationOneofCase.Assign:
                return new DataTypeOperation.Assign(message.Assign.Memory);
            case Proto.DataTypeOperation.OperationOneofCase.Flag:
                return new DataTypeOperation.SetFlag(message.Flag);
            case Proto.DataTypeOperation.OperationOneofCase.Map:
                return Change(message.Map, ref error);
            case Proto.DataTypeOperation.OperationOneofCase.Gset:
                return new DataTypeOperation.Grow(Members(message.Gset.Members_));
            case Proto.DataTypeOperation.OperationOneofCase.Hll:
                return new DataTypeOperation.Observe(Members(message.Hll.Members_));
            default:
                error ??= new KvError.InvalidRequest("the operation is missing");
                return null;
        }
    }

    private static DataTypeOperation.Increment? Increment(string text, ref KvError? error)
    {
        if (text.Length <= DataTypeOperation.Increment.MostDigits + 1 && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount))
        {
            return new DataTypeOperation.Increment(amount);
        }

        error ??= new KvError.InvalidRequest($"an increment is no integer of at most {DataTypeOperation.Increment.MostDigits} digits");
        return null;
    }

    private static DataTypeOperation.ChangeMap Change(Proto.MapChange message, ref KvError? error)
    {
        var updates = ImmutableArray.CreateBuilder<KeyValuePair<FieldName, DataTypeOperation>>(message.Updates.Count);
        foreach (var update in message.Updates)
        {
            if (Operation(update, ref error) is { } operation)
            {
                updates.Add(KeyValuePair.Create(Field(update.Field, operation.Kind, ref error), operation));
            }
        }

        var removes = ImmutableArray.CreateBuilder<FieldName>(message.Removes.Count);
        foreach (var removed in message.Removes)
        {
            removes.Add(Field(removed.Name, (DataTypeKind)removed.Kind, ref error));
        }

        return new DataTypeOperation.ChangeMap(updates.DrainToImmutable(), removes.DrainToImmutable());
    }

    private static FieldName Field(ByteString name, DataTypeKind kind, ref KvError? error)
    {
        if (kind is < DataTypeKind.Counter or > DataTypeKind.Map)
        {
            error ??= new KvError.InvalidRequest("a field is a counter, set, register, flag or map");
        }

        return new FieldName(name.Memory, kind);
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> Members(RepeatedField<ByteString> members) => [.. members.Select(member => member.Memory)];
}
