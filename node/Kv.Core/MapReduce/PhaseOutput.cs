namespace Kv.Core.MapReduce;

/// <summary>What a phase's function made of its input: terms, or the reason why it cannot, which ends the job.</summary>
public readonly record struct PhaseOutput(IReadOnlyList<Term> Terms, string? Problem)
{
    public static PhaseOutput None { get; } = new([], null);

    public static PhaseOutput Of(Term term) => new([term], null);

    public static PhaseOutput Of(IReadOnlyList<Term> terms) => new(terms, null);

    public static PhaseOutput Failed(string problem) => new([], problem);
}
