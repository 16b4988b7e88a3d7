using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>What happened in a run, for a person: events apart from the messages between nodes, which the scheduler's trace holds too.</summary>
public sealed class Journal(SimScheduler scheduler)
{
    private readonly List<string> lines = [];
    private readonly List<string> violations = [];

    public IReadOnlyList<string> Lines => lines;

    /// <summary>Broken promises, in the order in which they were seen.</summary>
    public IReadOnlyList<string> Violations => violations;

    /// <summary>The world's time.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(scheduler.Now);

    public void Note(string line)
    {
        lines.Add($"{Now:mm\\:ss\\.fff} {line}");
        scheduler.Note(line);
    }

    public void Violation(string what)
    {
        violations.Add(what);
        Note($"BROKEN: {what}");
    }
}
