using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>Between this package's types and the messages of `kv.v1` for data types.</summary>
internal static class DataTypeCodec
{
    public static Proto.FetchDataTypeRequest Fetch(ObjectKey key, DataTypeFetchOptions options)
    {
        var request = new Proto.FetchDataTypeRequest
        {
            Key = ClientCodec.Key(key),
            R = ClientCodec.Quorum(options.R),
            Pr = ClientCodec.Quorum(options.Pr),
            NodeConfirms = ClientCodec.Quorum(options.NodeConfirms),
        };
        if (options.BasicQuorum is { } basicQuorum)
        {
            request.BasicQuorum = basicQuorum;
        }

        if (options.NotFoundOk is { } notFoundOk)
        {
            request.NotfoundOk = notFoundOk;
        }

        if (!options.SloppyQuorum)
        {
            request.SloppyQuorum = false;
        }

        if (options.NVal is { } nVal)
        {
            request.NVal = (uint)nVal;
        }

        return request;
    }

    public static Proto.UpdateDataTypeRequest Update(ObjectKey key, DataTypeOperation operation, DataTypeUpdateOptions options)
    {
        var request = new Proto.UpdateDataTypeRequest
        {
            Key = ClientCodec.Key(key),
            Operation = Operation(operation, ByteString.Empty, depth: 0),
            Context = ClientCodec.Copy(options.Context),
            W = ClientCodec.Quorum(options.W),
            Dw = ClientCodec.Quorum(options.Dw),
            Pw = ClientCodec.Quorum(options.Pw),
            NodeConfirms = ClientCodec.Quorum(options.NodeConfirms),
            ReturnBody = options.ReturnBody,
        };
        if (!options.SloppyQuorum)
        {
            request.SloppyQuorum = false;
        }

        if (options.NVal is { } nVal)
        {
            request.NVal = (uint)nVal;
        }

        return request;
    }

    public static DataTypeView View(Proto.FetchDataTypeResponse response) =>
        new((DataTypeKind)response.Kind, response.Value is { } value ? Value(value) : null, response.Context.Memory);

    public static DataTypeUpdateResult Result(Proto.UpdateDataTypeResponse response, ObjectKey key) => new(
        response.Value is { } value ? Value(value) : null,
        response.Context.Memory,
        response.GeneratedKey.IsEmpty ? key.Key : response.GeneratedKey.Memory);

    // A node's reader of messages would not come to the end of a deeper one, and with it none of the operations beside it.
    private static Proto.DataTypeOperation Operation(DataTypeOperation operation, ByteString field, int depth) => operation switch
    {
        _ when depth > DataTypeOperation.MaxDepth => throw new ArgumentException($"maps lie in maps more than {DataTypeOperation.MaxDepth} deep", nameof(operation)),
        DataTypeOperation.Increment increment => new() { Field = field, Increment = increment.Amount.ToString(CultureInfo.InvariantCulture) },
        DataTypeOperation.ChangeSet change => new() { Field = field, Set = new() { Adds = { Copied(change.Adds) }, Removes = { Copied(change.Removes) } } },
        DataTypeOperation.Assign assign => new() { Field = field, Assign = ClientCodec.Copy(assign.Value) },
        DataTypeOperation.SetFlag flag => new() { Field = field, Flag = flag.Enable },
        DataTypeOperation.Grow grow => new() { Field = field, Gset = new() { Members_ = { Copied(grow.Adds) } } },
        DataTypeOperation.Observe observe => new() { Field = field, Hll = new() { Members_ = { Copied(observe.Adds) } } },
        DataTypeOperation.ChangeMap change => new()
        {
            Field = field,
            Map = new()
            {
                Updates = { change.Updates.Select(update => Operation(update.Value, ClientCodec.Copy(update.Key.Name), depth + 1)) },
                Removes = { change.Removes.Select(removed => new Proto.FieldName { Name = ClientCodec.Copy(removed.Name), Kind = (Proto.DataTypeKind)removed.Kind }) },
            },
        },
        _ => throw new ArgumentException($"{operation.Kind} is no operation that is known here", nameof(operation)),
    };

    private static DataTypeValue Value(Proto.DataTypeValue value) => value.ValueCase switch
    {
        Proto.DataTypeValue.ValueOneofCase.Counter => new DataTypeValue.Counter(BigInteger.Parse(value.Counter, CultureInfo.InvariantCulture)),
        Proto.DataTypeValue.ValueOneofCase.Set => new DataTypeValue.Set(Members(value.Set)),
        Proto.DataTypeValue.ValueOneofCase.Register => new DataTypeValue.Register(value.Register.Memory),
        Proto.DataTypeValue.ValueOneofCase.Flag => new DataTypeValue.Flag(value.Flag),
        Proto.DataTypeValue.ValueOneofCase.Map => new DataTypeValue.Map(
            value.Map.Fields.ToImmutableSortedDictionary(field => new FieldName(field.Field.Memory, KindOf(field.ValueCase)), Value)),
        Proto.DataTypeValue.ValueOneofCase.Gset => new DataTypeValue.GrowOnlySet(Members(value.Gset)),
        Proto.DataTypeValue.ValueOneofCase.Hll => new DataTypeValue.HyperLogLog(value.Hll),
        _ => throw new KvException(KvErrorCode.Unknown, "the node told a value of a kind that is not known here", isRetryable: false, isIndeterminate: false),
    };

    private static DataTypeKind KindOf(Proto.DataTypeValue.ValueOneofCase kind) => kind switch
    {
        Proto.DataTypeValue.ValueOneofCase.Counter => DataTypeKind.Counter,
        Proto.DataTypeValue.ValueOneofCase.Set => DataTypeKind.Set,
        Proto.DataTypeValue.ValueOneofCase.Register => DataTypeKind.Register,
        Proto.DataTypeValue.ValueOneofCase.Flag => DataTypeKind.Flag,
        _ => DataTypeKind.Map,
    };

    private static ImmutableArray<ReadOnlyMemory<byte>> Members(Proto.Members members) => [.. members.Members_.Select(member => member.Memory)];

    private static IEnumerable<ByteString> Copied(ImmutableArray<ReadOnlyMemory<byte>> members) => members.Select(ClientCodec.Copy);
}
