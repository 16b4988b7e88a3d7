using System.Globalization;
using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Hash trees and exchanges of nodes, by their names, as tables and as JSON. A node that did not answer has none.</summary>
internal static class AaeOutput
{
    public static void Print(TablePrinter printer, SortedDictionary<string, AntiEntropy?> nodes)
    {
        var trees = nodes.SelectMany(node => (node.Value?.Trees ?? []).Select(tree => (Node: node.Key, Tree: tree))).OrderBy(t => t.Tree.Partition).ToList();
        var exchanges = nodes.SelectMany(node => (node.Value?.Exchanges ?? []).Select(exchange => (Node: node.Key, Exchange: exchange)))
            .OrderBy(e => e.Exchange.Partition).ThenBy(e => e.Exchange.FirstPartition).ThenBy(e => e.Exchange.NVal).ThenBy(e => e.Exchange.PeerPartition).ToList();
        printer.Line(
            $"hash trees of {Words.Number(trees.Count(t => t.Tree.State == HashTrees.Types.State.Built))} of {Words.Count(trees.Count, "partition")} are built, "
            + $"{Words.Count(exchanges.Count(e => e.Exchange.State == Exchange.Types.State.Running), "exchange")} running, "
            + $"{Words.Number(exchanges.Count(e => e.Exchange.State == Exchange.Types.State.Failed))} failed");
        var off = nodes.Where(node => node.Value is { On: false }).Select(node => node.Key).ToList();
        if (off.Count > 0)
        {
            printer.Line($"off on {string.Join(", ", off)}");
        }

        foreach (var (node, answer) in nodes)
        {
            if (answer?.KeyRepair is { } repair)
            {
                printer.Line($"{node}: {TextOf(repair)}");
            }
        }

        var built = trees.ToDictionary(t => (t.Node, t.Tree.Partition), t => t.Tree);
        if (trees.Exists(t => t.Tree.State != HashTrees.Types.State.Built || t.Tree.LastError.Length > 0))
        {
            printer.Line();
            printer.Print(
                ["#partition", "node", "trees", "error"],
                trees.Where(t => t.Tree.State != HashTrees.Types.State.Built || t.Tree.LastError.Length > 0)
                    .Select(t => new[] { Words.Number(t.Tree.Partition), t.Node, Words.Of(t.Tree.State), t.Tree.LastError }));
        }

        if (exchanges.Count > 0)
        {
            printer.Line();
            printer.Print(
                ["#partition", "node", "trees built", "#with", "peer", "keys of", "state", "#ended", "#took", "#differed", "#repaired", "error"],
                exchanges.Select(e => RowOf(e.Node, e.Exchange, built.GetValueOrDefault((e.Node, e.Exchange.Partition)))));
        }
    }

    /// <summary>A repair of a bucket's keys as a sentence.</summary>
    public static string TextOf(KeyRepair repair)
    {
        var range = (repair.From.IsEmpty ? "" : $" from {repair.From.ToStringUtf8()}") + (repair.To.IsEmpty ? "" : $" to {repair.To.ToStringUtf8()}");
        return $"{(repair.Running ? "repairing" : "repaired")} {repair.BucketType}/{repair.Bucket.ToStringUtf8()}{range}: {Words.Number(repair.Partitions)} of "
            + $"{Words.Count(repair.AllPartitions, "partition")} read, {Words.Count(repair.KeysFound, "key")}, {Words.Number(repair.KeysRepaired)} of them repaired, "
            + $"{Words.Number(repair.MillisecondsTaken)} ms{(repair.LastError.Length == 0 ? "" : $"; {repair.LastError}")}";
    }

    /// <summary>It has ended, and some of what it was asked for was not done.</summary>
    public static bool HasFailed(KeyRepair repair) => !repair.Running && (repair.KeysNotRepaired > 0 || repair.LastError.Length > 0);

    public static JsonObject ToJson(KeyRepair repair) => new()
    {
        ["bucketType"] = repair.BucketType,
        ["bucket"] = repair.Bucket.ToStringUtf8(),
        ["from"] = repair.From.IsEmpty ? null : repair.From.ToStringUtf8(),
        ["to"] = repair.To.IsEmpty ? null : repair.To.ToStringUtf8(),
        ["running"] = repair.Running,
        ["millisecondsTaken"] = repair.MillisecondsTaken,
        ["partitions"] = repair.Partitions,
        ["allPartitions"] = repair.AllPartitions,
        ["keysFound"] = repair.KeysFound,
        ["keysRepaired"] = repair.KeysRepaired,
        ["keysNotRepaired"] = repair.KeysNotRepaired,
        ["lastError"] = repair.LastError.Length == 0 ? null : repair.LastError,
    };

    public static JsonObject ToJson(SortedDictionary<string, AntiEntropy?> nodes) => new()
    {
        ["trees"] = new JsonArray([.. nodes.SelectMany(node => (node.Value?.Trees ?? []).Select(tree => ToJson(node.Key, tree)))]),
        ["exchanges"] = new JsonArray([.. nodes.SelectMany(node => (node.Value?.Exchanges ?? []).Select(exchange => ToJson(node.Key, exchange)))]),
        ["keyRepairs"] = new JsonArray([.. nodes.Where(node => node.Value?.KeyRepair is not null).Select(node => ToJson(node.Key, node.Value!.KeyRepair))]),
        ["off"] = new JsonArray([.. nodes.Where(node => node.Value is { On: false }).Select(node => (JsonNode)node.Key)]),
        ["notAnswering"] = new JsonArray([.. nodes.Where(node => node.Value is null).Select(node => (JsonNode)node.Key)]),
    };

    private static string[] RowOf(string node, Exchange exchange, HashTrees? trees) =>
    [
        Words.Number(exchange.Partition),
        node,
        trees is { BuiltAt: > 0 } ? Date(trees.BuiltAt).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "",
        Words.Number(exchange.PeerPartition),
        exchange.Peer,
        $"{Words.Number(exchange.FirstPartition)}/{Words.Number(exchange.NVal)}",
        Words.Of(exchange.State),
        exchange.MillisecondsSinceEnd < 0 ? "never" : $"{Words.Number(exchange.MillisecondsSinceEnd / 1000)} s ago",
        exchange.MillisecondsSinceEnd < 0 ? "" : $"{Words.Number(exchange.MillisecondsTaken)} ms",
        Words.Number(exchange.KeysFound),
        Words.Number(exchange.KeysRepaired),
        exchange.LastError,
    ];

    private static JsonObject ToJson(string node, KeyRepair repair)
    {
        var json = ToJson(repair);
        json.Insert(0, "node", node);
        return json;
    }

    private static JsonObject ToJson(string node, HashTrees tree) => new()
    {
        ["node"] = node,
        ["partition"] = tree.Partition,
        ["state"] = Words.Of(tree.State),
        ["builtAt"] = tree.BuiltAt == 0 ? null : Date(tree.BuiltAt).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["lastError"] = tree.LastError.Length == 0 ? null : tree.LastError,
    };

    private static JsonObject ToJson(string node, Exchange exchange) => new()
    {
        ["node"] = node,
        ["partition"] = exchange.Partition,
        ["peerPartition"] = exchange.PeerPartition,
        ["peer"] = exchange.Peer,
        ["firstPartition"] = exchange.FirstPartition,
        ["nVal"] = exchange.NVal,
        ["state"] = Words.Of(exchange.State),
        ["millisecondsSinceEnd"] = exchange.MillisecondsSinceEnd < 0 ? null : exchange.MillisecondsSinceEnd,
        ["millisecondsTaken"] = exchange.MillisecondsSinceEnd < 0 ? null : exchange.MillisecondsTaken,
        ["keysFound"] = exchange.KeysFound,
        ["keysRepaired"] = exchange.KeysRepaired,
        ["lastError"] = exchange.LastError.Length == 0 ? null : exchange.LastError,
    };

    private static DateTime Date(long unixSeconds) => DateTimeOffset.FromUnixTimeSeconds(unixSeconds).UtcDateTime;
}
