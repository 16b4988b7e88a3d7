using System.CommandLine;
using System.Text.Json.Nodes;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv ring</c>: who owns each partition, and who will.</summary>
internal static class RingCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("ring", "Show the owner of each partition, and the next owner where it moves.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(ToJson(cluster), cancel);
            }
            else
            {
                var moving = cluster.Owners.Zip(cluster.NextOwners).Count(pair => pair.First != pair.Second);
                session.Tables.Line($"ring of {cluster.RingSize} partitions, {(moving == 0 ? "none moves" : moving == 1 ? "1 of them moves" : $"{moving} of them move")}{(cluster.Rebuilding.Count == 0 ? "" : $", {cluster.Rebuilding.Count} being rebuilt")}");
                session.Tables.Line();
                session.Tables.Print(["#partition", "owner", "up", "next owner"], Enumerable.Range(0, cluster.Owners.Count).Select(partition => Row(cluster, partition)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static string[] Row(Cluster cluster, int partition)
    {
        var owner = MemberAt(cluster, cluster.Owners[partition]);
        return [Words.Number(partition), owner?.Name ?? "", Words.YesNo(owner?.Up ?? false), NextOwner(cluster, partition)?.Name ?? ""];
    }

    private static JsonObject ToJson(Cluster cluster) => new()
    {
        ["cluster"] = cluster.ClusterName,
        ["documentVersion"] = cluster.DocumentVersion,
        ["ringSize"] = cluster.RingSize,
        ["pendingTransfers"] = cluster.PendingTransfers,
        ["partitions"] = new JsonArray([.. Enumerable.Range(0, cluster.Owners.Count).Select(partition =>
        {
            var owner = MemberAt(cluster, cluster.Owners[partition]);
            var json = new JsonObject { ["partition"] = partition, ["owner"] = owner?.Name, ["up"] = owner?.Up ?? false };
            if (cluster.Rebuilding.Contains((uint)partition))
            {
                json["rebuilding"] = true;
            }

            if (NextOwner(cluster, partition) is { } next)
            {
                json["nextOwner"] = next.Name;
            }

            return json;
        })]),
    };

    /// <summary>Null where the partition stays.</summary>
    private static Member? NextOwner(Cluster cluster, int partition) =>
        partition < cluster.NextOwners.Count && cluster.NextOwners[partition] != cluster.Owners[partition] ? MemberAt(cluster, cluster.NextOwners[partition]) : null;

    private static Member? MemberAt(Cluster cluster, uint position) => position < cluster.Members.Count ? cluster.Members[(int)position] : null;
}
