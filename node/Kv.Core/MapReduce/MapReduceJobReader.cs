using System.Diagnostics.CodeAnalysis;

namespace Kv.Core.MapReduce;

/// <summary>A job as clients send it, JSON → <see cref="MapReduceJob"/> (riak_kv_mapred_json).</summary>
public static class MapReduceJobReader
{
    /// <summary>False with the problem, which names what is not known.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, long mostBytes, [NotNullWhen(true)] out MapReduceJob? job, [NotNullWhen(false)] out MapReduceProblem? problem)
    {
        job = null;
        if (!TermJson.TryRead(json, mostBytes, out var term, out var wrong))
        {
            problem = new(MapReduceProblemKind.NotJson, wrong);
            return false;
        }

        if (term is not Term.Struct members)
        {
            problem = new(MapReduceProblemKind.NotAnObject, $"it is {term}");
            return false;
        }

        if (members["inputs"] is not { } inputs || members["query"] is not { } query)
        {
            problem = new(MapReduceProblemKind.MissingField, members["inputs"] is null ? "inputs" : "query");
            return false;
        }

        problem = InputsReader.TryRead(inputs, out var read, out wrong) ? null : new(MapReduceProblemKind.Inputs, wrong!);
        if (problem is null && QueryReader.TryRead(query, out var phases, out wrong))
        {
            job = new MapReduceJob(read!, phases, TimeoutOf(members["timeout"]));
            return true;
        }

        problem ??= new(MapReduceProblemKind.Query, wrong!);
        return false;
    }

    /// <summary>What is no number above zero stands for the default, as in Riak.</summary>
    private static TimeSpan TimeoutOf(Term? timeout)
    {
        var milliseconds = timeout switch
        {
            Term.Integer integer => (double)integer.Value,
            Term.Real real => real.Value,
            _ => 0,
        };
        return milliseconds > 0 ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 1, TimeSpan.FromDays(1).TotalMilliseconds)) : MapReduceJob.DefaultTimeout;
    }
}
