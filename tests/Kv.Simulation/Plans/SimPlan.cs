using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Kv.Simulation.Plans;

/// <summary>All that a seed decides before the run begins: topology, bucket types, and every fault, administrator's call and request with its time.</summary>
public sealed record SimPlan
{
    /// <summary>Of a run whose queues are not to fill.</summary>
    public const int AmpleQueueBound = 10_000;

    public required int Seed { get; init; }

    /// <summary>Members of the cluster at the beginning.</summary>
    public required int Members { get; init; }

    /// <summary>Nodes that may join later.</summary>
    public required int Spares { get; init; }

    public required int Zones { get; init; }

    public required int RingSize { get; init; }

    public required int Clients { get; init; }

    /// <summary>What queues hold in this run: commands of a mailbox, requests of a node, repairs, tombstones that wait. Where it is small, one transfer and one exchange go at a time.</summary>
    public required int QueueBound { get; init; }

    /// <summary>Hash trees grow old at once and are compared in tiny pages, so that one is built or compared at any moment.</summary>
    public required bool IsRestless { get; init; }

    public required ImmutableArray<BucketPlan> Types { get; init; }

    /// <summary>By time.</summary>
    public required ImmutableArray<PlannedEvent> Events { get; init; }

    /// <summary>Faults run for this long.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>The most nodes that lose data for good.</summary>
    public required int Losses { get; init; }

    /// <summary>Partitions go from member to member.</summary>
    public bool Moves => Events.Any(planned => planned is AdminCall.Join or AdminCall.Leave);

    /// <summary>
    /// So many of the nodes that confirmed a write may lose it, and it has to survive where there is one more. While partitions move a node may have come to hold two of the copies: its own by the old
    /// owners, and one by the next.
    /// </summary>
    public int LostCopies => Losses * (Moves ? 2 : 1);

    /// <summary>Whether tombstones in a bucket of this type stay all the time.</summary>
    public bool KeepsTombstones(BucketPlan type) =>
        type.DeleteMode == "keep" && !Events.OfType<AdminCall.ChangeProps>().Any(change => Types[change.Type] == type && change.Props.Contains("delete_mode", StringComparison.Ordinal));

    public string Describe()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed {Seed}: {Members} nodes and {Spares} spare in {Zones} zones, a ring of {RingSize}, {Clients} clients, queues of {QueueBound}{(IsRestless ? ", restless trees" : "")}, faults for {Length.TotalSeconds:0} s, {Losses} nodes lose data{(Losses > 0 && Moves ? " while partitions move" : "")}");
        foreach (var type in Types)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"     {type}");
        }

        foreach (var planned in Events)
        {
            text.AppendLine(planned.ToString());
        }

        return text.ToString();
    }
}
