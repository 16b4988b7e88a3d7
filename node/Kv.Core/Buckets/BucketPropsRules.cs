using System.Collections.Immutable;
using System.Text.Json;

namespace Kv.Core.Buckets;

/// <summary>
/// Riak's validation of bucket properties (riak_kv_bucket; reference 4.3): a change, as JSON under Riak's names, over what holds now. The
/// outcome is whole new properties or all problems at once, with Riak's reasons. Coercions are Riak's: booleans as text in any case or as numbers, numbers as text.
/// `name` is ignored, so that what a client was shown can be sent back. Deliberately stricter than Riak, because a property that is taken and has no
/// effect misleads: unknown names, commit hooks in Erlang and other key hashing than the standard are refused, and so is a quorum above n_val.
/// </summary>
public static class BucketPropsRules
{
    /// <summary>Properties of a new bucket type, or of one that was created and is not active yet.</summary>
    public static BucketPropsResult CreateType(JsonElement change)
    {
        var result = Apply(BucketProps.NewType, change, out var asked);
        var props = result.Props;
        var problems = result.Problems;
        if (props.LastWriteWins && props.DvvEnabled)
        {
            problems.Add(new BucketPropsProblem("dvv_enabled", "If last_write_wins is true, dvv_enabled must be false"));
        }

        CheckDataType(props, problems);
        if (props.WriteOnce && props.Consistent)
        {
            problems.Add(new BucketPropsProblem("consistent", "Write once buckets must not be consistent=true"));
        }

        if (props.WriteOnce && props.DataType is not null)
        {
            problems.Add(new BucketPropsProblem("datatype", "Write once buckets must not have datatype defined"));
        }

        if (props.Consistent && props.DataType is not null)
        {
            problems.Add(new BucketPropsProblem("datatype", "Consistent buckets must not have datatype defined"));
        }

        if (props.Backend is { } backend && !BucketProps.Backends.Contains(backend))
        {
            problems.Add(new BucketPropsProblem("backend", $"must be one of {string.Join(", ", BucketProps.Backends)}"));
        }

        CheckTtl(props, problems);
        CheckHooks(props, problems);
        CheckHllPrecision(props, null, asked, problems);
        CheckQuorums(props, problems);
        return Conclude(WithDefaultPrecision(props), problems);
    }

    /// <summary>Properties of an active bucket type after an update. The type `default` changes in the nodes' configuration only: the caller refuses it.</summary>
    public static BucketPropsResult UpdateType(BucketProps current, JsonElement change) => Update(current, change, UpdateKind.Type);

    /// <summary>Properties of a bucket in a type: <paramref name="current"/> are the type's, with what the bucket overrides already.</summary>
    public static BucketPropsResult SetBucketInType(BucketProps current, JsonElement change) => Update(current, change, UpdateKind.BucketInType);

    /// <summary>Properties of an untyped bucket.</summary>
    public static BucketPropsResult SetUntypedBucket(BucketProps current, JsonElement change) => Update(current, change, UpdateKind.UntypedBucket);

    /// <summary>What an update may never change: the problems of going from one to the other, none where all is well. For those who get whole properties.</summary>
    public static ImmutableArray<BucketPropsProblem> CheckImmutable(BucketProps current, BucketProps next)
    {
        var problems = ImmutableArray.CreateBuilder<BucketPropsProblem>();
        AddImmutable(current, next, UpdateKind.Type, problems);
        return problems.ToImmutable();
    }

    private static BucketPropsResult Update(BucketProps current, JsonElement change, UpdateKind kind)
    {
        var result = Apply(current, change, out var asked);
        var next = result.Props;
        var problems = result.Problems;
        AddImmutable(current, next, kind, problems);
        if (next.LastWriteWins && next.DvvEnabled)
        {
            problems.Add(new BucketPropsProblem("dvv_enabled", "If last_write_wins is true, dvv_enabled must be false"));
        }

        if (next.DataType == current.DataType)
        {
            CheckDataType(next, problems);
        }

        if (kind == UpdateKind.Type)
        {
            CheckTtl(next, problems);
        }
        else if (next.TtlSeconds != current.TtlSeconds)
        {
            problems.Add(new BucketPropsProblem("ttl", "is a property of bucket types; a bucket has its type's"));
        }

        CheckHooks(next, problems);
        CheckHllPrecision(next, current, asked, problems);
        CheckQuorums(next, problems);
        return Conclude(next, problems);
    }

    private static (BucketProps Props, ImmutableArray<BucketPropsProblem>.Builder Problems) Apply(BucketProps current, JsonElement change, out HashSet<string> asked)
    {
        var problems = ImmutableArray.CreateBuilder<BucketPropsProblem>();
        asked = [];
        if (change.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new BucketPropsProblem("props", "must be an object of properties"));
            return (current, problems);
        }

        var props = current;
        try
        {
            foreach (var property in change.EnumerateObject())
            {
                asked.Add(property.Name);
                var reason = BucketPropertyTable.TrySet(ref props, property.Name, property.Value);
                if (reason is not null)
                {
                    problems.Add(new BucketPropsProblem(property.Name, reason));
                }
            }
        }
        catch (InvalidOperationException)
        {
            problems.Add(new BucketPropsProblem("props", BucketPropertyTable.NoText));
        }

        return (props, problems);
    }

    private static void AddImmutable(BucketProps current, BucketProps next, UpdateKind kind, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        if (next.WriteOnce != current.WriteOnce)
        {
            problems.Add(new BucketPropsProblem("write_once", (current.WriteOnce, kind) switch
            {
                (true, _) => "Cannot modify write_once property once set to true",
                (false, UpdateKind.Type) => "Cannot set existing bucket type to `write_once`",
                _ => "cannot update write_once property",
            }));
        }

        if (next.Consistent != current.Consistent)
        {
            problems.Add(new BucketPropsProblem("consistent", "cannot update consistent property"));
        }

        if (next.DataType != current.DataType)
        {
            problems.Add(new BucketPropsProblem("datatype", current.DataType is null ? "`datatype` must not be defined." : "Cannot update datatype on existing bucket"));
        }

        // Riak changes it, with known damage: fewer replicas leave copies behind, which come back when there are more again; more are not there for reads to find.
        if (next.NVal != current.NVal)
        {
            problems.Add(new BucketPropsProblem("n_val", (current.Consistent, kind) switch
            {
                (true, _) => "n_val cannot be modified for existing consistent type",
                (false, UpdateKind.Type) => "n_val cannot be modified for existing type",
                _ => "n_val cannot be modified for a bucket, which has its type's; use a bucket type with another one",
            }));
        }

        if (next.Backend != current.Backend)
        {
            problems.Add(new BucketPropsProblem("backend", "cannot update backend property: its data would be left behind"));
        }
    }

    /// <summary>Concurrent updates are siblings until they are merged: where siblings are dropped, updates are lost.</summary>
    private static void CheckDataType(BucketProps props, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        if (props.DataType is not null && !props.AllowMult)
        {
            problems.Add(new BucketPropsProblem("allow_mult", "Data Type buckets must be allow_mult=true"));
        }

        if (props.DataType is not null && props.LastWriteWins)
        {
            problems.Add(new BucketPropsProblem("last_write_wins", "Data Type buckets must be last_write_wins=false"));
        }
    }

    /// <summary>What an object's end would leave behind: index entries, the clock of a data type's state, the one write there may be.</summary>
    private static void CheckTtl(BucketProps props, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        if (props is { TtlSeconds: not null } and ({ DataType: not null } or { WriteOnce: true } or { Consistent: true } or { Backend: BucketProps.OrderedBackend }))
        {
            problems.Add(new BucketPropsProblem("ttl", "objects of a type with a datatype, write_once, consistent or backend ordered cannot expire"));
        }
    }

    /// <summary>A hook is shown a value: what an update makes of a data type's state is known to the vnode alone. The others run none in Riak either (reference 9.7).</summary>
    private static void CheckHooks(BucketProps props, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        if (props is { DataType: null, WriteOnce: false, Consistent: false })
        {
            return;
        }

        foreach (var (name, hooks) in new[] { ("precommit", props.PreCommit), ("postcommit", props.PostCommit) })
        {
            if (!hooks.IsEmpty)
            {
                problems.Add(new BucketPropsProblem(name, "objects of a type with a datatype, write_once or consistent have no commit hooks"));
            }
        }
    }

    private static void CheckHllPrecision(BucketProps next, BucketProps? current, HashSet<string> asked, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        if (!asked.Contains("hll_precision") || next.HllPrecision is not { } precision)
        {
            return;
        }

        if (precision is < 4 or > 16 || precision > (current?.HllPrecision ?? 16))
        {
            problems.Add(new BucketPropsProblem("hll_precision", "must be an integer from 4 to 16, and may only be reduced once set"));
        }
    }

    private static void CheckQuorums(BucketProps props, ImmutableArray<BucketPropsProblem>.Builder problems)
    {
        foreach (var (name, value) in BucketPropertyTable.Quorums(props))
        {
            if (value.Code > props.NVal)
            {
                problems.Add(new BucketPropsProblem(name, $"must not exceed n_val, which is {props.NVal}"));
            }
        }
    }

    private static BucketProps WithDefaultPrecision(BucketProps props) =>
        props is { DataType: "hll", HllPrecision: null } ? props with { HllPrecision = 14 } : props;

    private static BucketPropsResult Conclude(BucketProps props, ImmutableArray<BucketPropsProblem>.Builder problems) =>
        problems.Count == 0 ? BucketPropsResult.Valid(props) : BucketPropsResult.Invalid(problems.ToImmutable());

    private enum UpdateKind
    {
        Type,
        BucketInType,
        UntypedBucket,
    }
}
