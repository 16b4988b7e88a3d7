namespace Kv.Simulation.Plans;

/// <summary>
/// One thing that happens in a run, at a time that was drawn before it began. A run is carried out the same with any of its events left out, which is how the
/// shortest failing one is found; <paramref name="Number"/> names the event in all of them.
/// </summary>
public abstract record PlannedEvent(int Number, TimeSpan At)
{
    /// <summary>What happens, for a person.</summary>
    public abstract string What { get; }

    public sealed override string ToString() => FormattableString.Invariant($"{Number,4} {At.TotalSeconds,8:0.000} s  {What}");
}
