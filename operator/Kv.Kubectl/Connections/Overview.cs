using Grpc.Core;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Connections;

/// <summary>A cluster as one member has it, and what each member that can be reached says of itself.</summary>
internal sealed class Overview
{
    private const int MaxAskedAtOnce = 16;
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);

    public required Cluster Cluster { get; init; }

    public List<Transfer> Transfers { get; } = [];

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
        await Parallel.ForEachAsync(
            overview.Cluster.Members.Where(member => member.Up),
            new ParallelOptions { MaxDegreeOfParallelism = MaxAskedAtOnce, CancellationToken = cancel },
            async (member, stop) => await overview.AskAsync(caller, member, withNodes, stop));
        overview.Transfers.Sort((one, other) => (one.Partition, one.Kind).CompareTo((other.Partition, other.Kind)));
        overview.Silent.Sort(StringComparer.Ordinal);
        return overview;
    }

    public Node? NodeOf(Member member) => nodes.GetValueOrDefault(member.Id);

    private async Task AskAsync(NodeCaller caller, Member member, bool withNodes, CancellationToken cancel)
    {
        if (caller.Access.Find(member.Name, member.Endpoints.GetValueOrDefault("admin")) is not { } address)
        {
            NoteSilent(member);
            return;
        }

        try
        {
            var transfers = await caller.AdminOfAsync(address, (client, options) => client.GetTransfersAsync(new GetTransfersRequest(), options), cancel);
            var node = withNodes ? await caller.AdminOfAsync(address, (client, options) => client.GetNodeAsync(new GetNodeRequest(), options), cancel) : null;
            lock (nodes)
            {
                Transfers.AddRange(transfers.Transfers_);
                if (node is not null && node.Id == member.Id)
                {
                    nodes[member.Id] = node;
                }
            }
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            // It may have gone down just now; what the others say counts without it.
            NoteSilent(member);
        }
    }

    private void NoteSilent(Member member)
    {
        lock (nodes)
        {
            Silent.Add(member.Name);
        }
    }
}
