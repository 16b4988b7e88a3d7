using System.Diagnostics;
using Kv.Fuzz.Coverage;

namespace Kv.Fuzz.Running;

/// <summary>
/// Throws inputs at a target until the time is over or one fails: the seeds, then what becomes of them by mutation. An input that takes a branch that none before it
/// took joins those that are mutated.
/// </summary>
internal sealed class FuzzRun
{
    /// <summary>Inputs that are mutated at most; past that a new one takes the place of another that was found.</summary>
    private const int MostKept = 4096;

    private readonly FuzzTarget target;
    private readonly HangWatch watch;
    private readonly Random random;
    private readonly Mutator mutator;
    private readonly InputTrial trial;
    private readonly CoverageMap coverage = new();
    private readonly List<byte[]> kept = [];

    /// <param name="target">Where the inputs go.</param>
    /// <param name="seed">Decides every mutation; which are kept hangs on the branches taken, and with threads not on the seed alone. A failing input is kept itself.</param>
    /// <param name="watch">Of inputs that hang.</param>
    public FuzzRun(FuzzTarget target, int seed, HangWatch watch)
    {
        (this.target, this.watch, random, trial) = (target, watch, new Random(seed), new InputTrial(target));
        mutator = new Mutator(random, target.Words, target.MostBytes);
    }

    public FuzzVerdict For(TimeSpan time, long mostInputs = long.MaxValue)
    {
        var clock = Stopwatch.StartNew();
        var inputs = 0L;
        foreach (var seed in target.Seeds)
        {
            inputs++;
            if (Failure(seed, isSeed: true) is { } failure)
            {
                return Verdict(seed, failure);
            }
        }

        while (clock.Elapsed < time && inputs < mostInputs)
        {
            inputs++;
            var input = mutator.Mutate(Any(), Any());
            if (Failure(input, isSeed: false) is { } failure)
            {
                return Verdict(input, failure);
            }
        }

        return Verdict(null, null);

        FuzzVerdict Verdict(byte[]? input, string? failure) => new(target.Name, inputs, kept.Count, coverage.Pairs, clock.Elapsed, input, failure);
    }

    /// <summary>Newer ones more often: they are where the last branch was found.</summary>
    private byte[] Any() => kept.Count == 0 ? [] : kept[random.Next(4) == 0 ? kept.Count - 1 - random.Next(Math.Min(16, kept.Count)) : random.Next(kept.Count)];

    private string? Failure(byte[] input, bool isSeed)
    {
        CoverageMap.Clear();
        watch.Begin(input);
        var failure = trial.Try(input);
        watch.End();
        if (failure is null && (coverage.Learn() || isSeed))
        {
            Keep(input);
        }

        return failure;
    }

    private void Keep(byte[] input)
    {
        if (kept.Count < MostKept)
        {
            kept.Add(input);
        }
        else
        {
            kept[random.Next(kept.Count)] = input;
        }
    }
}
