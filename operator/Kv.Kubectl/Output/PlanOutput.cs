using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>A plan: what is staged, and what its commit would do.</summary>
internal static class PlanOutput
{
    public static void Print(TablePrinter printer, Plan plan)
    {
        if (plan.PlanId.Length == 0)
        {
            printer.Line("nothing is staged");
            return;
        }

        printer.Line($"plan {plan.PlanId} on document version {plan.DocumentVersion}");
        printer.Line();
        printer.Print(["staged", "node", "id"], plan.Staged.Select(change => new[]
        {
            change.ReplacesId.Length == 0 ? Words.Of(change.Kind) : $"{Words.Of(change.Kind)} {change.ReplacesId}", change.NodeName, change.NodeId,
        }));
        printer.Line();
        printer.Print(["node", "zone", "state after", "#partitions now", "#after"], plan.Members.Select(member => new[]
        {
            member.Name, member.Zone, Words.Of(member.State), Words.Number(member.PartitionsNow), Words.Number(member.PartitionsAfter),
        }));
        printer.Line();
        foreach (var warning in plan.Warnings)
        {
            printer.Line($"warning: {warning}");
        }

        var rebuilds = plan.Rebuilds == 0 ? "" : $" and has {plan.Rebuilds} rebuilt from other replicas";
        printer.Line($"A commit moves {Words.Count(plan.Transfers, "partition")}{rebuilds}. To commit: kv plan commit {plan.PlanId}");
    }

    public static JsonObject ToJson(Plan plan) => new()
    {
        ["planId"] = plan.PlanId.Length == 0 ? null : plan.PlanId,
        ["documentVersion"] = plan.DocumentVersion,
        ["staged"] = ToJson(plan.Staged),
        ["members"] = new JsonArray([.. plan.Members.Select(member => new JsonObject
        {
            ["name"] = member.Name,
            ["zone"] = member.Zone,
            ["stateAfter"] = Words.Of(member.State),
            ["partitionsNow"] = member.PartitionsNow,
            ["partitionsAfter"] = member.PartitionsAfter,
        })]),
        ["transfers"] = plan.Transfers,
        ["rebuilds"] = plan.Rebuilds,
        ["lost"] = new JsonArray([.. plan.Lost.Select(lost => new JsonObject { ["nVal"] = lost.NVal, ["ranges"] = lost.Ranges })]),
        ["warnings"] = new JsonArray([.. plan.Warnings.Select(warning => (JsonNode)warning)]),
    };

    public static JsonArray ToJson(IEnumerable<StagedChange> staged) => new([.. staged.Select(change =>
    {
        var json = new JsonObject
        {
            ["kind"] = Words.Of(change.Kind),
            ["node"] = change.NodeName,
            ["id"] = change.NodeId,
        };
        if (change.ReplacesId.Length > 0)
        {
            json["replaces"] = change.ReplacesId;
        }

        return json;
    })]);
}
