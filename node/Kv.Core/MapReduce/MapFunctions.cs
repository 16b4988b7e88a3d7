namespace Kv.Core.MapReduce;

/// <summary>Riak's map functions (riak_kv_mapreduce, and of its JavaScript built-ins those that can be had exactly).</summary>
public static class MapFunctions
{
    public static IReadOnlyList<MapFunction> All { get; } =
    [
        new($"{BuiltIns.Module}:map_identity", (input, _) => PhaseOutput.Of(input.Object is { } found ? new Term.Found(input.Key, found) : input.Missing)),
        new($"{BuiltIns.Module}:map_object_value", (input, arg) => input.Value is { } value ? PhaseOutput.Of(new Term.Binary(value)) : NotFound(input, arg)),
        new($"{BuiltIns.Module}:map_object_value_list", ValueList) { MadeBytes = JsonBytes },
        new("Riak.mapValues", (input, _) => PhaseOutput.Of(input.Value is { } value ? new Term.Binary(value) : input.Missing)),
        new("Riak.mapValuesJson", (input, _) => input.Value is { } value ? Json(value, input.MostBytes) : PhaseOutput.Of(input.Missing)) { MadeBytes = JsonBytes },
    ];

    /// <summary>What the phase's argument asks for where there is no object. With no such argument Riak fails the job; here the results say it, as those of its JavaScript functions do.</summary>
    private static PhaseOutput NotFound(MapInput input, Term? arg) => arg switch
    {
        Term.Binary word when word.Bytes.Span.SequenceEqual("filter_notfound"u8) => PhaseOutput.None,
        Term.Binary word when word.Bytes.Span.SequenceEqual("include_keydata"u8) => PhaseOutput.Of(input.KeyData ?? Term.Undefined),
        Term.Struct members when members["sub"] is { } given => given is Term.List list
            ? PhaseOutput.Of(list.Items)
            : PhaseOutput.Failed("non_list_result: \"sub\" stands for a list of results, and is none"),
        _ => PhaseOutput.Of(input.Missing),
    };

    /// <summary>The value's elements. Riak's asks for an Erlang list, which only Erlang could have stored; here it is a JSON array.</summary>
    private static PhaseOutput ValueList(MapInput input, Term? arg)
    {
        if (input.Value is not { } value)
        {
            return NotFound(input, arg);
        }

        var read = Json(value, input.MostBytes);
        return read.Problem is null && read.Terms[0] is Term.List list ? PhaseOutput.Of(list.Items) : PhaseOutput.Failed("non_list_result: the value is no JSON array");
    }

    private static long JsonBytes(MapInput input) => input.Value is { } value ? TermJson.MostBytesOf(value.Span) : 0;

    private static PhaseOutput Json(ReadOnlyMemory<byte> value, long mostBytes) => TermJson.TryRead(value.Span, mostBytes, out var term, out var problem)
        ? PhaseOutput.Of(term)
        : PhaseOutput.Failed($"the value is not JSON that can be taken: {problem}");
}
