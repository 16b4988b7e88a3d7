using System.Text;
using Kv.Core.Objects;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>A write that was tried, under a name of its own.</summary>
public sealed class TrackedWrite(BucketPlan type, KeyHistory.Write write, HashSet<string>? mayCover)
{
    public KeyHistory.Write Write { get; } = write;

    public string Name => Write.Name;

    /// <summary>For a delete without context, which reads for itself: whatever was begun before it ended. Null for others.</summary>
    public HashSet<string>? MayCover { get; } = mayCover;

    /// <summary>Writes of the key whose time was over when this one began.</summary>
    public IReadOnlyList<string> OverBefore { get; init; } = [];

    /// <summary>What the write puts: its own name, and where objects have index entries those that follow from it.</summary>
    public Sibling Content => new()
    {
        Dot = null,
        Value = Encoding.UTF8.GetBytes(Name),
        Metadata = type.IsOrdered ? new ObjectMetadata { Indexes = IndexTerms.Of(Name) } : ObjectMetadata.Empty,
    };
}
