using System.CommandLine;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv admin ring-status</c>: the claimant, whether all hold the same ring, which partitions move and what they wait for, and who cannot be reached.</summary>
internal static class RingStatusCommand
{
    public static Command Create(CommandSession session)
    {
        var command = new Command("ring-status", "Show the claimant, whether all members hold the same ring, partitions that move, and members that cannot be reached.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var overview = await Overview.AskTransfersAsync(caller, cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(RingStatusOutput.ToJson(overview), cancel);
            }
            else
            {
                RingStatusOutput.Print(session.Tables, overview);
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
