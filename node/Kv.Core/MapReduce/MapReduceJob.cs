using System.Collections.Immutable;

namespace Kv.Core.MapReduce;

/// <summary>A MapReduce job: where its inputs come from, and what is done with them, phase after phase (reference 9.2). With no phases the inputs are the results.</summary>
public sealed record MapReduceJob(MapReduceInputs Inputs, ImmutableArray<MapReducePhase> Phases, TimeSpan Timeout)
{
    /// <summary>Of jobs that name none, as Riak's.</summary>
    public static TimeSpan DefaultTimeout { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Phases whose results the client gets. With two and more of them it gets a list for each.</summary>
    public int Kept => Phases.Count(phase => phase.Keep);

    /// <summary>Whether a phase names one of Riak's JavaScript functions.</summary>
    public bool UsesJavaScript => Phases.Any(phase => phase.IsJavaScript);
}
