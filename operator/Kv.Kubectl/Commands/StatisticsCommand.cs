using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv admin status</c>: a node's figures by Riak's names, as its <c>/stats</c> has them.</summary>
internal static class StatisticsCommand
{
    public static Command Create(CommandSession session)
    {
        var name = new Argument<string[]>("[NODE]") { Description = "Name or id of the member; else the first that answers.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("status", "Show a node's statistics by Riak's names. The cluster at a glance: kv status.") { name };
        session.AddExamples(command, "kv admin status\nkv admin status example-1 -o json");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var statistics = session.Values(parsed, name) switch
            {
                [] => await caller.AdminAsync((client, options) => client.GetStatisticsAsync(new GetStatisticsRequest(), options), cancel),
                [{ Length: > 0 } member] => await OfAsync(caller, member, cancel),
                _ => throw CliException.Usage("name one member: [NODE]"),
            };
            var json = Parse(statistics.Json);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(json, cancel);
            }
            else
            {
                StatisticsOutput.Print(session.Tables, json);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<Statistics> OfAsync(NodeCaller caller, string name, CancellationToken cancel)
    {
        var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
        return await caller.AdminOfAsync(PlanCommand.MemberOf(cluster, name), (client, options) => client.GetStatisticsAsync(new GetStatisticsRequest(), options), cancel);
    }

    private static JsonObject Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new CliException(ExitCode.Failed, "the node's statistics are no JSON object");
        }
        catch (JsonException e)
        {
            throw new CliException(ExitCode.Failed, $"the node's statistics are not JSON: {e.Message}", e);
        }
    }
}
