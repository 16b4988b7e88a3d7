using System.CommandLine;
using System.Globalization;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv cluster rebuild</c>: a partition whose data on a living node is damaged or gone.</summary>
internal static class RebuildCommand
{
    private const string Form = "PARTITION [NODE]";

    public static Command Create(CommandSession session)
    {
        var names = new Argument<string[]>(Form)
        {
            Description = "Number of a partition that kv status shows as damaged, and the node where it is, if that is not its owner.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var loss = new Option<bool>("--allow-data-loss") { Description = "Go on even if some keys have no replica left, or the node held the data for another." };
        var command = new Command("rebuild", "Give up a partition's damaged data, and rebuild it from the other replicas.") { names, loss };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var values = session.Values(parsed, names);
            if (values.Length is 0 or > 2 || !int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            {
                throw CliException.Usage($"name a partition by its number: {Form}");
            }

            var cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);
            if (partition >= cluster.Owners.Count)
            {
                throw CliException.Usage($"there is no partition {values[0]}: the ring has 0 to {cluster.Owners.Count - 1}");
            }

            var member = values.Length == 1 ? cluster.Members[(int)cluster.Owners[partition]] : PlanCommand.MemberOf(cluster, values[1]);
            var request = new RebuildPartitionRequest { Partition = partition, AllowDataLoss = parsed.GetValue(loss) };
            var after = await caller.AdminOfAsync(member, (client, options) => client.RebuildPartitionAsync(request, options), cancel);
            var done = after.Rebuilding.Contains((uint)partition)
                ? $"partition {values[0]} is rebuilt on {member.Name} from its other replicas: kv cluster transfers shows how it goes"
                : $"partition {values[0]} is not damaged on {member.Name} any more";
            return await PlanCommand.PrintAsync(session, parsed, after, done, cancel);
        });
        return command;
    }
}
