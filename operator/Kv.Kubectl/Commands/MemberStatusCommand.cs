using System.CommandLine;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv admin member-status</c>: members, their state and their share of the ring.</summary>
internal static class MemberStatusCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("member-status", "Show members, their state, and their share of the ring now and when all transfers are done.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(MemberStatusOutput.ToJson(cluster), cancel);
            }
            else
            {
                MemberStatusOutput.Print(session.Tables, cluster);
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
