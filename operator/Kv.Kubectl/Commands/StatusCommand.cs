using System.CommandLine;
using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv status</c>: the cluster at a glance.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("status", "Show members, ring, transfers and bucket types.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var overview = await Overview.AskAsync(caller, cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(ToJson(overview), cancel);
            }
            else
            {
                Print(session.Tables, overview);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(TablePrinter printer, Overview overview)
    {
        var cluster = overview.Cluster;
        printer.Line($"cluster {cluster.ClusterName} ({cluster.ClusterId})");
        printer.Line($"ring of {cluster.RingSize} partitions, document version {cluster.DocumentVersion}, {(cluster.Converged ? "held by all members that are up" : "not yet held by all members that are up")}");
        printer.Line($"{cluster.Members.Count(member => member.Up)} of {cluster.Members.Count} members up, {Words.Count(cluster.PendingTransfers, "ownership transfer")} to go, {(cluster.Rebuilding.Count == 0 ? "" : $"{Words.Count(cluster.Rebuilding.Count, "partition")} to rebuild, ")}{Words.Count(overview.Transfers.Count, "transfer")} under way or waiting");
        printer.Line();
        printer.Print(
            ["node", "zone", "state", "up", "#partitions", "#next", "version", "#data", "#disk free", "admin"],
            cluster.Members.OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => Row(member, overview.NodeOf(member))));
        foreach (var member in cluster.Members.OrderBy(member => member.Name, StringComparer.Ordinal))
        {
            foreach (var damage in overview.NodeOf(member)?.Damaged ?? [])
            {
                printer.Line();
                printer.Line($"{member.Name}: the data of partition {Words.Number(damage.Partition)} is damaged and not served: {damage.Reason} `kv cluster rebuild {Words.Number(damage.Partition)}` has it rebuilt from the other replicas");
            }
        }

        if (cluster.Staged.Count > 0)
        {
            printer.Line();
            printer.Line($"{Words.Count(cluster.Staged.Count, "change")} staged: `kv plan` shows what a commit would do");
        }

        printer.Line();
        printer.Print(["bucket type", "state", "missing on"], overview.BucketTypes.Select(type => new[] { type.Name, Words.Of(type.State), string.Join(", ", type.MissingOn) }));
    }

    private static string[] Row(Member member, Node? node) =>
    [
        member.Name,
        member.Zone,
        Words.Of(member.State),
        Words.YesNo(member.Up),
        Words.Number(member.Partitions),
        Words.Number(member.NextPartitions),
        node?.Version ?? "",
        node is null ? "" : Words.Bytes(node.DataBytes),
        node is null ? "" : Words.Bytes(node.DiskFreeBytes),
        member.Endpoints.GetValueOrDefault("admin", ""),
    ];

    private static JsonObject ToJson(Overview overview)
    {
        var cluster = overview.Cluster;
        return new JsonObject
        {
            ["cluster"] = cluster.ClusterName,
            ["clusterId"] = cluster.ClusterId,
            ["documentVersion"] = cluster.DocumentVersion,
            ["converged"] = cluster.Converged,
            ["ringSize"] = cluster.RingSize,
            ["pendingTransfers"] = cluster.PendingTransfers,
            ["rebuilding"] = new JsonArray([.. cluster.Rebuilding.Select(partition => (JsonNode)partition)]),
            ["lastCommittedPlanId"] = cluster.LastCommittedPlanId,
            ["members"] = new JsonArray([.. cluster.Members.OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => ToJson(member, overview.NodeOf(member)))]),
            ["staged"] = PlanOutput.ToJson(cluster.Staged),
            ["transfers"] = TransferOutput.ToJson(overview.Transfers),
            ["bucketTypes"] = new JsonArray([.. overview.BucketTypes.Select(BucketTypeOutput.ToJson)]),
        };
    }

    private static JsonObject ToJson(Member member, Node? node)
    {
        var json = new JsonObject
        {
            ["name"] = member.Name,
            ["id"] = member.Id,
            ["zone"] = member.Zone,
            ["state"] = Words.Of(member.State),
            ["up"] = member.Up,
            ["partitions"] = member.Partitions,
            ["nextPartitions"] = member.NextPartitions,
            ["documentVersion"] = member.DocumentVersion,
            ["endpoints"] = new JsonObject(member.Endpoints.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        };
        if (node is not null)
        {
            json["version"] = node.Version;
            json["formatVersion"] = node.FormatVersion;
            json["dataBytes"] = node.DataBytes;
            json["diskFreeBytes"] = node.DiskFreeBytes;
            json["uptimeSeconds"] = node.UptimeSeconds;
            json["damaged"] = new JsonArray([.. node.Damaged.Select(damage => new JsonObject { ["partition"] = damage.Partition, ["reason"] = damage.Reason })]);
        }

        return json;
    }
}
