using System.CommandLine;
using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv plan</c>: what is staged and what its commit would do; to stage, to commit, to clear.</summary>
internal static class PlanCommand
{
    public static Command Create(CommandSession session)
    {
        var command = Show(session);
        command.Add(Join(session));
        command.Add(Leave(session));
        command.Add(Commit(session));
        command.Add(Clear(session));
        return command;
    }

    public static Command Show(CommandSession session)
    {
        var command = new Command("plan", "Show what is staged and what a commit would do. A cluster that the operator runs is changed in its manifest instead.");
        session.Bind(command, async (parsed, caller, cancel) =>
            await PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.GetPlanAsync(new GetPlanRequest(), options), cancel), cancel));
        return command;
    }

    public static Command Join(CommandSession session)
    {
        var addresses = new Argument<string[]>("HOST:PORT") { Description = "Peer ports of the nodes that join.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("join", "Stage the joins of nodes, and show the plan.") { addresses };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var values = session.Values(parsed, addresses);
            if (values.Length == 0)
            {
                throw CliException.Usage("name the peer ports of the nodes that join: HOST:PORT…");
            }

            if (values.FirstOrDefault(value => !HostAndPort.IsValid(value)) is { } bad)
            {
                throw CliException.Usage($"`{bad}` is not HOST:PORT");
            }

            var request = new StageJoinRequest { PeerAddresses = { values } };
            return await PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.StageJoinAsync(request, options), cancel), cancel);
        });
        return command;
    }

    public static Command Leave(CommandSession session)
    {
        var nodes = new Argument<string[]>("NODE") { Description = "Names or ids of members.", Arity = ArgumentArity.ZeroOrMore };
        var fewer = new Option<bool>("--allow-fewer-replicas") { Description = "Leave even if fewer members stay than some bucket has replicas." };
        var command = new Command("leave", "Stage that members leave, and show the plan.") { nodes, fewer };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var values = session.Values(parsed, nodes);
            if (values.Length == 0)
            {
                throw CliException.Usage("name the members that leave: NODE…");
            }

            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            var request = new StageLeaveRequest { NodeIds = { values.Select(value => IdOf(cluster, value)) }, AllowFewerReplicas = parsed.GetValue(fewer) };
            return await PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.StageLeaveAsync(request, options), cancel), cancel);
        });
        return command;
    }

    public static Command Commit(CommandSession session)
    {
        var plan = new Argument<string[]>("PLAN") { Description = "The id of the plan that was looked at.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("commit", "Carry out the plan with this id; refused if what is staged is no longer that.") { plan };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var id = session.Values(parsed, plan) is [{ Length: > 0 } only] ? only : throw CliException.Usage("name the plan that was looked at: `kv plan` shows its id");
            var cluster = await caller.AdminAsync((client, options) => client.CommitPlanAsync(new CommitPlanRequest { PlanId = id }, options), cancel);
            return await PrintAsync(session, parsed, cluster, $"committed; {Words.Count(cluster.PendingTransfers, "partition")} to move{(cluster.Rebuilding.Count == 0 ? "" : $", {cluster.Rebuilding.Count} to rebuild first")}: `kv transfers` shows them", cancel);
        });
        return command;
    }

    public static Command Clear(CommandSession session)
    {
        var command = new Command("clear", "Forget what is staged.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var cluster = await caller.AdminAsync((client, options) => client.ClearStagedAsync(new ClearStagedRequest(), options), cancel);
            return await PrintAsync(session, parsed, cluster, "cleared: nothing is staged", cancel);
        });
        return command;
    }

    public static string IdOf(Cluster cluster, string name) => MemberOf(cluster, name).Id;

    /// <summary>By name or id.</summary>
    public static Member MemberOf(Cluster cluster, string name) => cluster.Members.FirstOrDefault(member => member.Name == name || member.Id == name)
        ?? throw new CliException(ExitCode.NotFound, $"there is no member {name}; there is {string.Join(", ", cluster.Members.Select(member => member.Name))}");

    public static async Task<ExitCode> PrintAsync(CommandSession session, ParseResult parsed, Plan plan, CancellationToken cancel)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(PlanOutput.ToJson(plan), cancel);
        }
        else
        {
            PlanOutput.Print(session.Tables, plan);
        }

        return ExitCode.Ok;
    }

    public static async Task<ExitCode> PrintAsync(CommandSession session, ParseResult parsed, Cluster cluster, string text, CancellationToken cancel)
    {
        if (session.IsJson(parsed))
        {
            var json = new JsonObject
            {
                ["documentVersion"] = cluster.DocumentVersion,
                ["pendingTransfers"] = cluster.PendingTransfers,
                ["rebuilding"] = cluster.Rebuilding.Count,
                ["staged"] = PlanOutput.ToJson(cluster.Staged),
                ["lastCommittedPlanId"] = cluster.LastCommittedPlanId,
            };
            await session.WriteJsonAsync(json, cancel);
        }
        else
        {
            session.Tables.Line(text);
        }

        return ExitCode.Ok;
    }
}
