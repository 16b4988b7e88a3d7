using System.CommandLine;
using System.Text.Json.Nodes;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv admin ringready</c>: whether all members are up and hold the same ring; its exit code says so too.</summary>
internal static class RingReadyCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("ringready", "Say whether all members are up and hold the same ring: TRUE and exit code 0, or FALSE and 1.");
        session.AddExamples(command, "until kv admin ringready; do sleep 5; done");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            var down = cluster.Members.Where(member => !member.Up).ToList();
            var behind = cluster.Members.Where(member => member.Up && member.DocumentVersion < cluster.DocumentVersion).ToList();
            var isReady = cluster.Converged && down.Count == 0;
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(new JsonObject { ["ready"] = isReady, ["down"] = JsonText.ListOf(down.Select(member => member.Name)), ["behind"] = JsonText.ListOf(behind.Select(member => member.Name)) }, cancel);
            }
            else
            {
                session.Tables.Line((isReady, down) switch
                {
                    (true, _) => $"TRUE All nodes agree on the ring {RiakText.ListOf(cluster.Members)}",
                    (_, { Count: > 0 }) => $"FALSE {RiakText.ListOf(down)} down. All nodes need to be up to check.",
                    _ => $"FALSE {RiakText.ListOf(behind)} do not hold version {cluster.DocumentVersion} of the ring yet",
                });
            }

            return isReady ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}
