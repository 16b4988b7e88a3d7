using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Connections;

/// <summary>A cluster as one member has it, and what each member that can be reached says of itself.</summary>
internal sealed class Overview
{
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);

    public required Cluster Cluster { get; init; }

    public IReadOnlyList<Transfer> Transfers { get; private set; } = [];

    public IReadOnlyList<BucketType> BucketTypes { get; private set; } = [];

    /// <summary>Members whose transfers are not known, since they did not answer.</summary>
    public List<string> Silent { get; } = [];

    public static async Task<Overview> AskAsync(NodeCaller caller, CancellationToken cancel)
    {
        var overview = await AskTransfersAsync(caller, cancel, withNodes: true);
        overview.BucketTypes = (await caller.AdminAsync((client, options) => client.ListBucketTypesAsync(new ListBucketTypesRequest(), options), cancel)).BucketTypes_;
        return overview;
    }

    /// <summary>Each node knows of its own transfers only, so all that are up are asked; one that does not answer is left out.</summary>
    public static async Task<Overview> AskTransfersAsync(NodeCaller caller, CancellationToken cancel, bool withNodes = false)
    {
        var overview = new Overview { Cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel) };
        var answers = await EachMember.AskAsync(caller, overview.Cluster, (_, address, stop) => AskAsync(caller, address, withNodes, stop), cancel);
        foreach (var (name, answer) in answers)
        {
            overview.Add(name, answer);
        }

        overview.Transfers = ToldTransfers.Merge(answers.Where(answer => answer.Value is not null).Select(answer => (answer.Key, answer.Value!.Transfers)));
        return overview;
    }

    public Node? NodeOf(Member member) => nodes.GetValueOrDefault(member.Id);

    private static async Task<Answer> AskAsync(NodeCaller caller, NodeAddress address, bool withNode, CancellationToken cancel) => new(
        await caller.AdminOfAsync(address, (client, options) => client.GetTransfersAsync(new GetTransfersRequest(), options), cancel),
        withNode ? await caller.AdminOfAsync(address, (client, options) => client.GetNodeAsync(new GetNodeRequest(), options), cancel) : null);

    private void Add(string name, Answer? answer)
    {
        if (answer is null)
        {
            Silent.Add(name);
            return;
        }

        if (answer.Node is { } node && Cluster.Members.Any(member => member.Name == name && member.Id == node.Id))
        {
            nodes[node.Id] = node;
        }
    }

    private sealed record Answer(Transfers Transfers, Node? Node);
}
