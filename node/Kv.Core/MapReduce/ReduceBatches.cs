namespace Kv.Core.MapReduce;

/// <summary>
/// The inputs of a reduce phase as they come (riak_kv_w_reduce): the function is given so many at once, each time with what it made of those before, and a last time at the end; once with nothing where there
/// was none. A function that does not mind waits for as many new ones as it made results of, so that the work does not grow with the square of the inputs. Used by one at a time.
/// </summary>
public sealed class ReduceBatches(MapReducePhase.Reduce phase)
{
    private readonly List<Term> inputs = [];
    private int reduced;
    private bool hasRun;

    /// <summary>Of the terms that are kept.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>The reason why the function fails with what it was given; null where it does not.</summary>
    public string? Add(Term input)
    {
        inputs.Add(input);
        HeldBytes += input.HeldBytes;
        var batch = phase.Function.IsAssociative ? Math.Max(phase.BatchSize, reduced) : phase.BatchSize;
        return inputs.Count - reduced >= batch ? Reduce() : null;
    }

    /// <summary>The phase's results, once all inputs have come.</summary>
    public PhaseOutput Finish()
    {
        var problem = hasRun && inputs.Count == reduced ? null : Reduce();
        return problem is null ? PhaseOutput.Of([.. inputs]) : PhaseOutput.Failed(problem);
    }

    private string? Reduce()
    {
        var output = phase.Function.Apply([.. inputs], phase.Arg);
        if (output.Problem is { } problem)
        {
            return problem;
        }

        inputs.Clear();
        inputs.AddRange(output.Terms);
        (reduced, hasRun) = (inputs.Count, true);
        HeldBytes = inputs.Sum(term => term.HeldBytes);
        return null;
    }
}
