using System.CommandLine;
using Kv.Kubectl.Connections;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv cluster replace</c> and <c>kv cluster force-remove</c>: members that are dead and do not come back.</summary>
internal static class LossCommand
{
    public static Command Replace(CommandSession session)
    {
        var names = new Argument<string[]>("DEAD HOST:PORT")
        {
            Description = "Name or id of the dead member, and the peer port of the node that joins in its place.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var loss = AllowDataLoss();
        var command = new Command("replace", "Stage that a new node takes over what a dead member owned, rebuilt from the other replicas, and show the plan.") { names, loss };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            if (session.Values(parsed, names) is not [{ Length: > 0 } dead, var address])
            {
                throw CliException.Usage("name the dead member and the peer port of its replacement: DEAD HOST:PORT");
            }

            if (!HostAndPort.IsValid(address))
            {
                throw CliException.Usage($"`{address}` is not HOST:PORT");
            }

            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            var request = new StageReplaceRequest { DeadId = PlanCommand.IdOf(cluster, dead), PeerAddress = address, AllowDataLoss = parsed.GetValue(loss) };
            return await PlanCommand.PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.StageReplaceAsync(request, options), cancel), cancel);
        });
        return command;
    }

    public static Command ForceRemove(CommandSession session)
    {
        var node = new Argument<string[]>("NODE") { Description = "Name or id of the dead member.", Arity = ArgumentArity.ZeroOrMore };
        var fewer = new Option<bool>("--allow-fewer-replicas") { Description = "Remove it even if fewer members stay than some bucket has replicas." };
        var loss = AllowDataLoss();
        var command = new Command("force-remove", "Stage that a dead member is given up and others rebuild what it owned, and show the plan.") { node, fewer, loss };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var dead = session.Values(parsed, node) is [{ Length: > 0 } only] ? only : throw CliException.Usage("name one member: NODE");
            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            var request = new StageRemoveRequest
            {
                NodeId = PlanCommand.IdOf(cluster, dead),
                AllowFewerReplicas = parsed.GetValue(fewer),
                AllowDataLoss = parsed.GetValue(loss),
            };
            return await PlanCommand.PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.StageRemoveAsync(request, options), cancel), cancel);
        });
        return command;
    }

    private static Option<bool> AllowDataLoss() => new("--allow-data-loss") { Description = "Go on even if some keys have no replica left." };
}
