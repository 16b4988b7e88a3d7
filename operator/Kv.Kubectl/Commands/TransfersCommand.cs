using System.CommandLine;
using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv transfers</c>: partitions on their way from node to node.</summary>
internal static class TransfersCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("transfers", "Show transfers of partitions: to new owners, back to owners that were down, and to owners that rebuild.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var overview = await Overview.AskTransfersAsync(caller, cancel);
            var cluster = overview.Cluster;
            if (session.IsJson(parsed))
            {
                var json = new JsonObject
                {
                    ["pendingTransfers"] = cluster.PendingTransfers,
                    ["transfers"] = TransferOutput.ToJson(overview.Transfers),
                    ["notAnswering"] = new JsonArray([.. overview.Silent.Select(name => (JsonNode)name)]),
                };
                await session.WriteJsonAsync(json, cancel);
                return ExitCode.Ok;
            }

            session.Tables.Line($"{Words.Count(cluster.PendingTransfers, "ownership transfer")} to go, {Words.Count(overview.Transfers.Count, "transfer")} under way or waiting");
            if (overview.Transfers.Count > 0)
            {
                session.Tables.Line();
                TransferOutput.Print(session.Tables, overview.Transfers);
            }

            if (overview.Silent.Count > 0)
            {
                await session.Terminal.Error.WriteLineAsync($"kv: without those of {string.Join(", ", overview.Silent)}, which did not answer");
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
