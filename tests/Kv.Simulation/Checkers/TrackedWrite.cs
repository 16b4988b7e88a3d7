using System.Text;
using Kv.Core.Objects;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>A write that was tried, under a name of its own.</summary>
public sealed class TrackedWrite(KeyHistory.Write write, HashSet<string>? mayCover)
{
    public KeyHistory.Write Write { get; } = write;

    public string Name => Write.Name;

    /// <summary>For a delete without context, which reads for itself: whatever was begun before it ended. Null for others.</summary>
    public HashSet<string>? MayCover { get; } = mayCover;

    /// <summary>What the write puts: its own name.</summary>
    public Sibling Content => new() { Dot = null, Value = Encoding.UTF8.GetBytes(Name) };
}
