using System.CommandLine;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv cluster</c>: members that come, go, are away, or are to be stopped.</summary>
internal static class ClusterCommand
{
    public static Command Create(CommandSession session) => new("cluster", "Change members. A cluster that the operator runs is changed in its manifest instead.")
    {
        PlanCommand.Join(session),
        PlanCommand.Leave(session),
        LossCommand.Replace(session),
        LossCommand.ForceRemove(session),
        RebuildCommand.Create(session),
        Member(session, "down", "Mark a member that cannot be reached as down, so that changes need not wait for it.", "marked down", (client, id, options) =>
            client.MarkDownAsync(new MarkDownRequest { NodeId = id }, options)),
        Member(session, "up", "Take a mark as down back; a member that returns does so itself.", "marked up", (client, id, options) =>
            client.MarkUpAsync(new MarkUpRequest { NodeId = id }, options)),
        Member(session, "confirm-exit", "Forget a member that is exiting and holds nothing any more.", "forgotten", (client, id, options) =>
            client.ConfirmExitAsync(new ConfirmExitRequest { NodeId = id }, options)),
        PlanCommand.Show(session),
        PlanCommand.Commit(session),
        PlanCommand.Clear(session),
        TransfersCommand.Create(session),
    };

    private static Command Member(
        CommandSession session,
        string name,
        string description,
        string done,
        Func<Admin.AdminClient, string, Grpc.Core.CallOptions, Grpc.Core.AsyncUnaryCall<Cluster>> call)
    {
        var node = new Argument<string[]>("NODE") { Description = "Name or id of the member.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(name, description) { node };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var value = session.Values(parsed, node) is [{ Length: > 0 } only] ? only : throw CliException.Usage("name one member: NODE");
            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            var id = PlanCommand.IdOf(cluster, value);
            var after = await caller.AdminAsync((client, options) => call(client, id, options), cancel);
            return await PlanCommand.PrintAsync(session, parsed, after, $"{value} is {done}", cancel);
        });
        return command;
    }
}
