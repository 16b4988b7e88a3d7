namespace Kv.Simulation.Running;

/// <summary>How a run ended, and how much happened in it.</summary>
public sealed record SimVerdict
{
    public required int Seed { get; init; }

    /// <summary>Broken promises; none where the run is clean.</summary>
    public required IReadOnlyList<string> Violations { get; init; }

    /// <summary>The run's events, a line each.</summary>
    public required IReadOnlyList<string> Journal { get; init; }

    /// <summary>A hash over every event and message in order.</summary>
    public required ulong TraceHash { get; init; }

    public required TimeSpan SimulatedTime { get; init; }

    /// <summary>Messages, timers and continuations.</summary>
    public required long Steps { get; init; }

    /// <summary>Those that happened, not those that were planned.</summary>
    public required int Faults { get; init; }

    /// <summary>Requests that were made.</summary>
    public required int Calls { get; init; }

    public required int Acknowledged { get; init; }

    public bool IsClean => Violations.Count == 0;
}
