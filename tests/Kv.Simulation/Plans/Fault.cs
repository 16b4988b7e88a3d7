using System.Globalization;
using Kv.TestKit;

namespace Kv.Simulation.Plans;

/// <summary>Something that machines, disks, clocks or the network do. Nodes are named by their place among the run's nodes.</summary>
public abstract record Fault(int Number, TimeSpan At) : PlannedEvent(Number, At)
{
    /// <summary>The node whose data goes for good; null where none does.</summary>
    public virtual int? Loses => null;

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    private static string Name(int node) => string.Create(CultureInfo.InvariantCulture, $"n{node + 1}");

    /// <summary>Holds for some time; the end of one leaves what another of its kind still holds.</summary>
    public abstract record Lasting(int Number, TimeSpan At, TimeSpan For) : Fault(Number, At);

    /// <summary>What is wrong with one node for some time.</summary>
    public abstract record OnNode(int Number, TimeSpan At, int Node, TimeSpan For) : Lasting(Number, At, For);

    public sealed record Crash(int Number, TimeSpan At, int Node, bool LosesPower, TimeSpan DownFor) : Fault(Number, At)
    {
        public override string What => $"{Name(Node)} {(LosesPower ? "loses power" : "is killed")}, back after {Seconds(DownFor)}";
    }

    /// <summary>Several lose power in the same moment.</summary>
    public sealed record PowerCut(int Number, TimeSpan At, IReadOnlyList<int> Nodes, TimeSpan DownFor) : Fault(Number, At)
    {
        public override string What => $"{string.Join(", ", Nodes.Select(Name))} lose power together, back after {Seconds(DownFor)}";
    }

    /// <summary>A clean stop; with <paramref name="Drains"/> the node is drained first.</summary>
    public sealed record Stop(int Number, TimeSpan At, int Node, bool Drains, TimeSpan DownFor) : Fault(Number, At)
    {
        public override string What => $"{Name(Node)} is {(Drains ? "drained and " : "")}stopped, back after {Seconds(DownFor)}";
    }

    public sealed record Pause(int Number, TimeSpan At, int Node, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => $"{Name(Node)} pauses for {Seconds(For)}";
    }

    /// <summary>The nodes of one side hear nothing of the others, nor they of them.</summary>
    public sealed record Part(int Number, TimeSpan At, IReadOnlyList<int> Side, TimeSpan For) : Lasting(Number, At, For)
    {
        public override string What => $"{string.Join(", ", Side.Select(Name))} parted from the rest for {Seconds(For)}";
    }

    public sealed record CutOneWay(int Number, TimeSpan At, int From, int To, TimeSpan For) : Lasting(Number, At, For)
    {
        public override string What => $"nothing gets from {Name(From)} to {Name(To)} for {Seconds(For)}";
    }

    public sealed record SlowLink(int Number, TimeSpan At, int From, int To, double Factor, TimeSpan For) : Lasting(Number, At, For)
    {
        public override string What => FormattableString.Invariant($"from {Name(From)} to {Name(To)} takes {Factor:0} times as long for {Seconds(For)}");
    }

    public sealed record Weather(int Number, TimeSpan At, SimNetworkOptions Options, TimeSpan For) : Lasting(Number, At, For)
    {
        public override string What => FormattableString.Invariant(
            $"the network loses {Options.RequestLoss:0.000} of requests and {Options.ReplyLoss:0.000} of replies, doubles {Options.Duplication:0.000}, delays {Options.Straggling:0.000} by {Options.StraggleFactor:0} for {Seconds(For)}");
    }

    public sealed record Drift(int Number, TimeSpan At, int Node, double Rate) : Fault(Number, At)
    {
        public override string What => FormattableString.Invariant($"the clock of {Name(Node)} runs at {Rate:0.00}");
    }

    public sealed record Jump(int Number, TimeSpan At, int Node, TimeSpan By) : Fault(Number, At)
    {
        public override string What => FormattableString.Invariant($"the clock of {Name(Node)} jumps by {By.TotalHours:0.0} h");
    }

    /// <summary>Stores refuse writes. The node's own small facts have a reserve, unless <paramref name="ToTheLastByte"/>: then a node that has to write one ends.</summary>
    public sealed record FullDisk(int Number, TimeSpan At, int Node, bool ToTheLastByte, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => $"the disk of {Name(Node)} is full{(ToTheLastByte ? " to the last byte" : "")} for {Seconds(For)}";
    }

    public sealed record SlowDisk(int Number, TimeSpan At, int Node, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => $"the disk of {Name(Node)} takes up to a second for a sync for {Seconds(For)}";
    }

    public sealed record NoDrops(int Number, TimeSpan At, int Node, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => $"{Name(Node)} has no room to record a drop for {Seconds(For)}";
    }

    /// <summary>One store cannot be opened, for a reason that has nothing to do with its data: a node that has to open it ends.</summary>
    public sealed record BrokenStore(int Number, TimeSpan At, int Node, int Partition, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => FormattableString.Invariant($"{Name(Node)} cannot open partition {Partition} for {Seconds(For)}");
    }

    public sealed record NoMemory(int Number, TimeSpan At, int Node, TimeSpan For) : OnNode(Number, At, Node, For)
    {
        public override string What => $"{Name(Node)} has no memory to read with for {Seconds(For)}";
    }

    public sealed record FailedSync(int Number, TimeSpan At, int Node) : Fault(Number, At)
    {
        public override string What => $"the disk of {Name(Node)} fails a sync";
    }

    /// <summary>An entry goes bad; the node closes the partition when it finds that, and says so.</summary>
    public sealed record Rot(int Number, TimeSpan At, int Node) : Fault(Number, At)
    {
        public override int? Loses => Node;

        public override string What => $"something rots on the disk of {Name(Node)}";
    }

    /// <summary>The node dies with all that it had, and is another node when it is back, under the same name and with an empty volume.</summary>
    public sealed record LoseVolume(int Number, TimeSpan At, int Node, TimeSpan DownFor) : Fault(Number, At)
    {
        public override int? Loses => Node;

        public override string What => $"{Name(Node)} loses its volume, back after {Seconds(DownFor)}";
    }

    /// <summary>The node is away for so long that somebody may give it up; what only it has is lost then.</summary>
    public sealed record Die(int Number, TimeSpan At, int Node, TimeSpan DownFor) : Fault(Number, At)
    {
        public override int? Loses => Node;

        public override string What => $"{Name(Node)} is dead for {Seconds(DownFor)}";
    }

    /// <summary>The node dies, and some of its partitions' data is gone when it is back: <paramref name="Share"/> of them.</summary>
    public sealed record LosePartitions(int Number, TimeSpan At, int Node, double Share, TimeSpan DownFor) : Fault(Number, At)
    {
        public override int? Loses => Node;

        public override string What => FormattableString.Invariant($"{Name(Node)} loses power and {Share:0.00} of its partitions, back after {Seconds(DownFor)}");
    }
}
