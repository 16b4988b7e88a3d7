using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>The ring as <c>riak admin ring-status</c> prints it (reference 11.1).</summary>
internal static class RingStatusOutput
{
    public static void Print(TablePrinter printer, Overview overview)
    {
        var cluster = overview.Cluster;
        printer.Line(RiakText.Title("Claimant"));
        printer.Line($"Claimant:  {(cluster.Claimant.Length == 0 ? "not told by the node's program" : $"'{cluster.Claimant}'")}");
        printer.Line($"Status:     {(ClaimantOf(cluster) is { Up: false } ? "down" : "up")}");
        printer.Line($"Ring Ready: {(cluster.Converged ? "true" : "false")}");
        printer.Line();
        printer.Line(RiakText.Title("Ownership Handoff"));
        PrintHandoff(printer, overview);
        printer.Line();
        printer.Line(RiakText.Title("Unreachable Nodes"));
        PrintUnreachable(printer, cluster);
    }

    public static JsonObject ToJson(Overview overview)
    {
        var cluster = overview.Cluster;
        return new JsonObject
        {
            ["claimant"] = cluster.Claimant.Length == 0 ? null : cluster.Claimant,
            ["ringReady"] = cluster.Converged,
            ["pendingTransfers"] = cluster.PendingTransfers,
            ["ownershipHandoff"] = new JsonArray([.. Moving(cluster).Select(move => new JsonObject
            {
                ["partition"] = move.Partition,
                ["owner"] = move.Owner,
                ["nextOwner"] = move.NextOwner,
                ["waitingOn"] = WaitingOn(overview, move.Partition),
            })]),
            ["rebuilding"] = new JsonArray([.. cluster.Rebuilding.Select(partition => (JsonNode)partition)]),
            ["unreachable"] = JsonText.ListOf(cluster.Members.Where(member => !member.Up).Select(member => member.Name)),
            ["markedDown"] = JsonText.ListOf(cluster.Members.Where(member => member.State == MemberState.Down).Select(member => member.Name)),
            ["notAnswering"] = JsonText.ListOf(overview.Silent),
        };
    }

    private static void PrintHandoff(TablePrinter printer, Overview overview)
    {
        var cluster = overview.Cluster;
        var moving = Moving(cluster).ToLookup(move => (move.Owner, move.NextOwner), move => move.Partition);
        if (moving.Count == 0 && cluster.Rebuilding.Count == 0)
        {
            printer.Line("No pending changes.");
            return;
        }

        foreach (var pair in moving)
        {
            printer.Line($"Owner:      '{pair.Key.Owner}'");
            printer.Line($"Next Owner: '{pair.Key.NextOwner}'");
            printer.Line();
            foreach (var partition in pair)
            {
                printer.Line($"Index: {Words.Number(partition)}");
                printer.Line($"  Waiting on: {WaitingOn(overview, partition)}");
            }

            printer.Line(RiakText.Rule);
        }

        foreach (var partition in cluster.Rebuilding)
        {
            printer.Line($"Index: {Words.Number(partition)}");
            printer.Line($"  Owner '{NameAt(cluster, cluster.Owners.ElementAtOrDefault((int)partition))}' rebuilds it from the other replicas");
        }
    }

    private static void PrintUnreachable(TablePrinter printer, Cluster cluster)
    {
        var down = cluster.Members.Where(member => !member.Up && member.State != MemberState.Down).ToList();
        var marked = cluster.Members.Where(member => member.State == MemberState.Down).ToList();
        if (down.Count == 0 && marked.Count == 0)
        {
            printer.Line("All nodes are up and reachable");
        }

        if (marked.Count > 0)
        {
            printer.Line($"The following nodes are marked as down: {RiakText.ListOf(marked)}");
        }

        if (down.Count == 0)
        {
            return;
        }

        printer.Line($"The following nodes are unreachable: {RiakText.ListOf(down)}");
        printer.Line();
        printer.Line("""
            WARNING: No member can leave, and no new bucket type be activated, until all
            nodes are up. If the outages are long-term or permanent, you can either mark
            the nodes as down (kv admin cluster down NODE) or give them up (kv admin
            cluster replace, or force-remove), so that others rebuild what they owned.
            """);
    }

    private static string WaitingOn(Overview overview, int partition)
    {
        var transfer = overview.Transfers.FirstOrDefault(transfer => transfer.Kind == Transfer.Types.Kind.Ownership && transfer.Partition == partition);
        return transfer is null
            ? "its turn"
            : $"transfer {Words.Of(transfer.State)}, {Words.Number(transfer.ObjectsSent)} of ~{Words.Number(transfer.ObjectsTotal)} objects sent{(transfer.LastError.Length == 0 ? "" : $": {Escape.Cell(transfer.LastError)}")}";
    }

    private static IEnumerable<(int Partition, string Owner, string NextOwner)> Moving(Cluster cluster) => cluster.Owners.Zip(cluster.NextOwners)
        .Select((owners, partition) => (partition, owners))
        .Where(move => move.owners.First != move.owners.Second)
        .Select(move => (move.partition, NameAt(cluster, move.owners.First), NameAt(cluster, move.owners.Second)));

    private static string NameAt(Cluster cluster, uint position) => position < cluster.Members.Count ? cluster.Members[(int)position].Name : "";

    private static Member? ClaimantOf(Cluster cluster) => cluster.Members.FirstOrDefault(member => member.Name == cluster.Claimant);
}
