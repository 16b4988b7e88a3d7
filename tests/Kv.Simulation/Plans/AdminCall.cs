using System.Globalization;

namespace Kv.Simulation.Plans;

/// <summary>Something that an administrator does, asking the node <paramref name="By"/> where it is up, else another.</summary>
public abstract record AdminCall(int Number, TimeSpan At, int By) : PlannedEvent(Number, At)
{
    /// <summary>How long the administrator looks at a plan before it is committed.</summary>
    public TimeSpan? Thinks { get; init; }

    private string Slowly => Thinks is { } time ? FormattableString.Invariant($", committed after {time.TotalSeconds:0.0} s") : "";

    private static string Name(int node) => string.Create(CultureInfo.InvariantCulture, $"n{node + 1}");

    public sealed record Join(int Number, TimeSpan At, int By, IReadOnlyList<int> Nodes, bool CommitsTwice) : AdminCall(Number, At, By)
    {
        public override string What => $"{string.Join(", ", Nodes.Select(Name))} to join, by {Name(By)}{(CommitsTwice ? ", committed twice" : "")}{Slowly}";
    }

    public sealed record Leave(int Number, TimeSpan At, int By, int Node, bool CommitsTwice) : AdminCall(Number, At, By)
    {
        public override string What => $"{Name(Node)} to leave, by {Name(By)}{(CommitsTwice ? ", committed twice" : "")}{Slowly}";
    }

    /// <summary>The member at the place <paramref name="Dead"/> is given up, and the node at the place <paramref name="With"/> takes over what it owned: itself, with a new volume, or a spare.</summary>
    public sealed record Replace(int Number, TimeSpan At, int By, int Dead, int With, bool CommitsTwice) : AdminCall(Number, At, By)
    {
        public override string What => $"{Name(Dead)} is replaced by {(With == Dead ? "itself" : Name(With))}, by {Name(By)}{(CommitsTwice ? ", committed twice" : "")}";
    }

    /// <summary>The member is given up, and the others take over what it owned.</summary>
    public sealed record Remove(int Number, TimeSpan At, int By, int Dead, bool CommitsTwice) : AdminCall(Number, At, By)
    {
        public override string What => $"{Name(Dead)} is removed, by {Name(By)}{(CommitsTwice ? ", committed twice" : "")}";
    }

    /// <summary>Whatever the node says is damaged is rebuilt from the other replicas, as `kv cluster rebuild` has it: the administrator looks at the node until there is something.</summary>
    public sealed record Rebuild(int Number, TimeSpan At, int Node) : AdminCall(Number, At, Node)
    {
        public override string What => $"what is damaged on {Name(Node)} is rebuilt";
    }

    /// <summary>Properties of the bucket type at the place <paramref name="Type"/> change, or of the one bucket in it.</summary>
    public sealed record ChangeProps(int Number, TimeSpan At, int By, int Type, bool IsOfBucket, string Props) : AdminCall(Number, At, By)
    {
        public override string What => $"{(IsOfBucket ? "the bucket of " : "")}t{Type} gets {Props}, by {Name(By)}";
    }

    public sealed record MarkDown(int Number, TimeSpan At, int By, int Node) : AdminCall(Number, At, By)
    {
        public override string What => $"{Name(Node)} is marked down, by {Name(By)}";
    }

    public sealed record MarkUp(int Number, TimeSpan At, int By, int Node) : AdminCall(Number, At, By)
    {
        public override string What => $"{Name(Node)} is marked up, by {Name(By)}";
    }

    public sealed record Clear(int Number, TimeSpan At, int By) : AdminCall(Number, At, By)
    {
        public override string What => $"what is staged is cleared, by {Name(By)}";
    }

    /// <summary>Commits whatever plan the node shows.</summary>
    public sealed record Commit(int Number, TimeSpan At, int By) : AdminCall(Number, At, By)
    {
        public override string What => $"the plan is committed, by {Name(By)}";
    }

    /// <summary>The member is forgotten, once it says that it holds nothing.</summary>
    public sealed record ConfirmExit(int Number, TimeSpan At, int By, int Node) : AdminCall(Number, At, By)
    {
        public override string What => $"the exit of {Name(Node)} is confirmed, by {Name(By)}";
    }
}
