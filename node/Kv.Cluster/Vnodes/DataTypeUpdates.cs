using System.Globalization;
using System.Text;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;

namespace Kv.Cluster.Vnodes;

/// <summary>Updates of data types where they are carried out, on the coordinating vnode (riak_kv_crdt), and what they are refused for.</summary>
internal static class DataTypeUpdates
{
    /// <summary>What a put cannot ask of its bucket: an update where there is no data type (but for a counter of Riak 1.4) or another, a plain value where there is one. Null where all is well.</summary>
    public static KvError? Check(KvRequest.Put put, BucketProps props)
    {
        var kind = DataTypeObject.KindOf(props);
        if (put.Update is not { } update)
        {
            return kind is null || (put.Content.IsTombstone && !put.AsIs)
                ? null
                : new KvError.InvalidRequest($"the bucket type has the data type `{props.DataType}`: its keys are changed by operations, not by values");
        }

        return (kind, update.Operation.Kind) switch
        {
            (null, DataTypeKind.Counter) when put.Key.BucketType == ObjectKey.DefaultType && props.HasCommitHooks =>
                new KvError.InvalidRequest("the bucket has commit hooks, which are shown values: its counters cannot be updated"),
            (null, DataTypeKind.Counter) when put.Key.BucketType == ObjectKey.DefaultType => props.AllowMult && !props.LastWriteWins
                ? null
                : new KvError.InvalidRequest("Counters require bucket property 'allow_mult=true'"),
            (null, _) => new KvError.InvalidRequest("the bucket type has no data type"),
            var (held, asked) when held != asked => Of(new DataTypeProblem.OtherKind(asked, held.Value)),
            _ when props.LastWriteWins => new KvError.InvalidRequest("Bucket must be last_write_wins=false"),
            _ => props.AllowMult ? null : new KvError.InvalidRequest("Bucket must be allow_mult=true"),
        };
    }

    /// <summary>What the update makes of what the vnode holds; null, with the error, where it makes nothing.</summary>
    public static Sibling? Apply(DataTypeUpdate update, KvObject? local, DataTypeEvent at, BucketProps props, out KvError? error)
    {
        var held = DataTypeObject.KindOf(props) is null ? DataTypeObject.ReadCounter(local, out var problem) : DataTypeObject.Read(local, props, out problem);
        var state = held?.Apply(update.Operation, at, out problem);
        error = problem is null ? null : Of(problem);
        return state is null ? null : DataTypeObject.Content(state);
    }

    private static KvError Of(DataTypeProblem problem) => problem switch
    {
        DataTypeProblem.MemberNotPresent missing => new KvError.NotPresent(Term(missing.Member.Span)),
        DataTypeProblem.FieldNotPresent missing => new KvError.NotPresent($"{{{Term(missing.Field.Name.Span)},{ModuleOf(missing.Field.Kind)}}}"),
        DataTypeProblem.OtherKind other =>
            new KvError.InvalidRequest($"Operation type is {DataTypeNames.Of(other.Operation)} but  bucket type is {DataTypeNames.Of(other.Held)}."),
        DataTypeProblem.TooManyDeferred many => new KvError.InvalidRequest(string.Create(
            CultureInfo.InvariantCulture, $"{many.Most} removals of this key wait for what their contexts had seen: fetch it anew and remove by that context")),
        DataTypeProblem.OldEvent old => new KvError.StorageFailed($"the key's state has seen {old.Dot} already"),
        DataTypeProblem.TooDeep deep => new KvError.InvalidRequest(string.Create(CultureInfo.InvariantCulture, $"maps lie in maps more than {deep.MaxDepth} deep")),
        DataTypeProblem.NotOfThisType held => new KvError.InvalidRequest($"the key holds no state of its bucket type's data type: {held.Reason}"),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string ModuleOf(DataTypeKind kind) => kind switch
    {
        DataTypeKind.Counter => "riak_dt_emcntr",
        DataTypeKind.Register => "riak_dt_lwwreg",
        DataTypeKind.Map => "riak_dt_map",
        DataTypeKind.Flag => "riak_dt_od_flag",
        _ => "riak_dt_orswot",
    };

    /// <summary>A binary as Erlang prints it: as text where it is printable ASCII, as numbers where not.</summary>
    private static string Term(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (value is < 32 or > 126)
            {
                return $"<<{string.Join(',', bytes.ToArray())}>>";
            }
        }

        return bytes.IsEmpty ? "<<>>" : $"<<\"{Encoding.ASCII.GetString(bytes).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\">>";
    }
}
