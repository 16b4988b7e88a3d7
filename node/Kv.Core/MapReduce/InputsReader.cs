using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Kv.Core.Indexes;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>The `inputs` of a job (riak_kv_mapred_json:parse_inputs; reference 9.2).</summary>
internal static class InputsReader
{
    private const string Forms =
        "a bucket, [type, bucket], a list of [bucket, key], [bucket, key, keydata] or [bucket, key, keydata, type], {\"bucket\", \"key_filters\"}, "
        + "{\"bucket\", \"index\", \"key\"} or {\"bucket\", \"index\", \"start\", \"end\"}";

    public static bool TryRead(Term term, [NotNullWhen(true)] out MapReduceInputs? inputs, [NotNullWhen(false)] out string? problem)
    {
        problem = null;
        inputs = term switch
        {
            Term.Struct members => OfStruct(members, out problem),
            Term.List list when BucketOf(term) is null => OfKeys(list, out problem),
            _ => BucketOf(term) is { } bucket ? new MapReduceInputs.Listing(bucket, Filter: null) : null,
        };
        problem ??= inputs is null ? $"Unrecognized format of \"inputs\" field: {term}. It is {Forms}" : null;
        return inputs is not null;
    }

    /// <summary>A bucket's name, or a list of type and bucket.</summary>
    private static BucketName? BucketOf(Term term) => term switch
    {
        Term.Binary bucket => new BucketName(ObjectKey.DefaultType, bucket.Bytes),
        Term.List { Items: [Term.Binary bucketType, Term.Binary bucket] } => new BucketName(TextOf(bucketType), bucket.Bytes),
        _ => null,
    };

    private static MapReduceInputs.Keys? OfKeys(Term.List list, out string? problem)
    {
        problem = list.Items.IsEmpty ? "No inputs were given." : null;
        var addresses = ImmutableArray.CreateBuilder<Term.Address>(list.Items.Length);
        foreach (var item in list.Items)
        {
            if (item is not Term.List || Addresses.Of(item) is not { } address)
            {
                return null;
            }

            addresses.Add(address);
        }

        return problem is null ? new MapReduceInputs.Keys(addresses.MoveToImmutable()) : null;
    }

    private static MapReduceInputs? OfStruct(Term.Struct members, out string? problem)
    {
        problem = members switch
        {
            _ when members["module"] is { } module && members["function"] is { } function => $"inputs cannot be made by a function here: {TextOf(module)}:{TextOf(function)}",
            _ when members["query"] is not null => "inputs cannot come from a search here: search is not served",
            _ => null,
        };
        if (problem is not null || members["bucket"] is not { } given || BucketOf(given) is not { } bucket)
        {
            return null;
        }

        return members["index"] is { } index ? OfIndex(bucket, index, members, out problem)
            : members["key_filters"] is { } filters && KeyFilter.TryCreate(filters, out var filter, out problem) ? new MapReduceInputs.Listing(bucket, filter)
            : null;
    }

    private static MapReduceInputs.Index? OfIndex(BucketName bucket, Term index, Term.Struct members, out string? problem)
    {
        problem = null;
        var (only, start, end) = (members["key"], members["start"], members["end"]);
        if ((only ?? start) is not { } first || (only is null && end is null) || index is not Term.Binary)
        {
            return null;
        }

        var last = only is null ? (ReadOnlyMemory<byte>?)BytesOf(end!) : null;
        var query = new IndexQuery(bucket, TextOf(index).ToLowerInvariant(), BytesOf(first), last);
        return IndexRange.TryCreate(query, out _, out problem) ? new MapReduceInputs.Index(query) : null;
    }

    private static string TextOf(Term term) => term is Term.Binary text ? Encoding.UTF8.GetString(text.Bytes.Span) : term.ToString();

    /// <summary>A term of an index, which may be an integer.</summary>
    private static ReadOnlyMemory<byte> BytesOf(Term term) => term is Term.Binary text ? text.Bytes : Encoding.UTF8.GetBytes(term.ToString());
}
