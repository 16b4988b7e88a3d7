using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Kv.Core.MapReduce;

/// <summary>The `query` of a job: its phases (riak_kv_mapred_json:parse_query; reference 9.2).</summary>
internal static class QueryReader
{
    /// <summary>Each holds something while the job runs.</summary>
    private const int MaxPhases = 64;

    private const string Any = "_";

    public static bool TryRead(Term term, out ImmutableArray<MapReducePhase> phases, [NotNullWhen(false)] out string? problem)
    {
        phases = [];
        if (term is not Term.List list)
        {
            problem = $"The value of the \"query\" field was not a list: {term}";
            return false;
        }

        problem = list.Items.Length > MaxPhases ? $"there are {list.Items.Length} phases; {MaxPhases} are the most" : null;
        var read = ImmutableArray.CreateBuilder<MapReducePhase>();
        for (var at = 0; at < list.Items.Length && problem is null; at++)
        {
            if (PhaseOf(list.Items[at], isLast: at == list.Items.Length - 1, out problem) is { } phase)
            {
                read.Add(phase);
            }
            else
            {
                problem ??= $"Unrecognized format of query phase {at}: {list.Items[at]}. It is an object of one member, \"map\", \"reduce\" or \"link\", and that an object";
            }
        }

        phases = problem is null ? read.ToImmutable() : [];
        return problem is null;
    }

    private static MapReducePhase? PhaseOf(Term term, bool isLast, out string? problem)
    {
        problem = null;
        if (term is not Term.Struct { Members: [{ Key: "map" or "reduce" or "link", Value: Term.Struct definition }] } phase)
        {
            return null;
        }

        if ((definition["keep"] ?? Term.Of(isLast)) is not Term.Atom { Name: "true" or "false" } keep)
        {
            problem = $"The \"keep\" field was not a boolean value in: {term}";
            return null;
        }

        var isKept = keep.Name == "true";
        return phase.Members[0].Key switch
        {
            "link" => LinkOf(definition, isKept, out problem),
            "map" => NameOf(definition, isMap: true, out problem) is { } name ? MapOf(name, definition, isKept, out problem) : null,
            _ => NameOf(definition, isMap: false, out problem) is { } name ? ReduceOf(name, definition, isKept, out problem) : null,
        };
    }

    private static MapReducePhase.Link? LinkOf(Term.Struct definition, bool keep, out string? problem)
    {
        var (bucket, tag) = (definition["bucket"] ?? Term.Of(Any), definition["tag"] ?? Term.Of(Any));
        problem = (bucket, tag) is (Term.Binary, Term.Binary) ? null : $"Invalid link step specification: {definition}: \"bucket\" and \"tag\" fields must have string values.";
        return problem is null ? new MapReducePhase.Link(NullForAny(bucket), NullForAny(tag), keep) : null;
    }

    private static string? NullForAny(Term term) => TextOf(term) is var text && text == Any ? null : text;

    private static MapReducePhase.Map? MapOf(string name, Term.Struct definition, bool keep, out string? problem)
    {
        var function = BuiltIns.FindMap(name);
        problem = function is null ? Unknown(name, isMap: true) : null;
        return function is null ? null : new MapReducePhase.Map(function, definition["arg"], keep);
    }

    private static MapReducePhase.Reduce? ReduceOf(string name, Term.Struct definition, bool keep, out string? problem)
    {
        var function = BuiltIns.FindReduce(name);
        problem = function is null ? Unknown(name, isMap: false) : null;
        return function is null || BatchSizeOf(definition["arg"], out problem) is not { } batch ? null : new MapReducePhase.Reduce(function, definition["arg"], batch, keep);
    }

    /// <summary>How many inputs a reduce function is given at once, which its argument may say (riak_kv_w_reduce).</summary>
    private static int? BatchSizeOf(Term? arg, out string? problem)
    {
        problem = null;
        var options = arg as Term.Struct;
        if (options?["reduce_phase_only_1"] is Term.Atom { Name: "true" })
        {
            return int.MaxValue;
        }

        switch (options?["reduce_phase_batch_size"])
        {
            case null:
                return MapReducePhase.Reduce.DefaultBatchSize;
            case Term.Integer size when size.Value > 0:
                return size.Value < int.MaxValue ? (int)size.Value : int.MaxValue;
            case var other:
                problem = $"reduce_phase_batch_size is a positive integer, and not {other}";
                return null;
        }
    }

    /// <summary>The name of the phase's function as <see cref="BuiltIns"/> has it; null with the reason why there is none.</summary>
    private static string? NameOf(Term.Struct definition, bool isMap, out string? problem)
    {
        var kind = isMap ? "map" : "reduce";
        switch (definition["language"])
        {
            case null:
                problem = $"No \"language\" was specified for the {kind} phase: {definition}";
                return null;
            case Term.Binary language when language.Bytes.Span.SequenceEqual("erlang"u8):
                if ((definition["module"], definition["function"]) is (Term.Binary module, Term.Binary function))
                {
                    problem = null;
                    return $"{TextOf(module)}:{TextOf(function)}";
                }

                break;
            case Term.Binary language when language.Bytes.Span.SequenceEqual("javascript"u8):
                if (definition["name"] is Term.Binary name && definition["source"] is null)
                {
                    problem = TextOf(name).StartsWith(BuiltIns.JavaScriptPrefix, StringComparison.Ordinal) ? null : Unknown(TextOf(name), isMap, isJavaScript: true);
                    return problem is null ? TextOf(name) : null;
                }

                break;
            case var other:
                problem = $"Unknown language {other} in {kind} phase: {definition}";
                return null;
        }

        problem = definition["source"] is not null || (definition["bucket"] is not null && definition["key"] is not null)
            ? $"functions given by their source are not run here, only built-in ones by name, in {kind} phase: {definition}"
            : $"No function specified in {kind} phase: {definition}. For erlang it is \"module\" and \"function\", for javascript \"name\"";
        return null;
    }

    private static string Unknown(string name, bool isMap, bool isJavaScript = false)
    {
        isJavaScript |= name.StartsWith(BuiltIns.JavaScriptPrefix, StringComparison.Ordinal);
        return $"there is no {(isMap ? "map" : "reduce")} function {TermText.Shown(name)} here; there are {BuiltIns.NamesOf(isMap, isJavaScript)}";
    }

    private static string TextOf(Term term) => Encoding.UTF8.GetString(((Term.Binary)term).Bytes.Span);
}
