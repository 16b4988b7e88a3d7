using Grpc.Core;
using Kv.Protos.Admin.V1;

namespace Kv.Node.Tests;

/// <summary>Nodes of one cluster, formed as an administrator forms one: create, stage all joins, commit one plan, wait for the transfers.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private TestCluster(IReadOnlyList<TestNode> nodes) => Nodes = nodes;

    public IReadOnlyList<TestNode> Nodes { get; }

    public static async Task<TestCluster> StartAsync(int count, CancellationToken cancel)
    {
        var nodes = new List<TestNode>();
        for (var i = 1; i <= count; i++)
        {
            nodes.Add(await TestNode.StartAsync($"node{i}", cancel));
        }

        await FormAsync(nodes[0].Admin, [.. nodes.Skip(1).Select(node => node.Endpoint("peer"))], cancel);
        return new TestCluster(nodes);
    }

    public static async Task FormAsync(Admin.AdminClient admin, IReadOnlyList<string> peers, CancellationToken cancel)
    {
        await admin.CreateClusterAsync(new CreateClusterRequest { ClusterName = "test", RingSize = 16 }, cancellationToken: cancel);
        if (peers.Count > 0)
        {
            var planId = "";
            await UntilAsync(
                async () => await TryAsync(async () => planId = (await admin.StageJoinAsync(new StageJoinRequest { PeerAddresses = { peers } }, cancellationToken: cancel)).PlanId), cancel);
            await UntilAsync(async () => await TryAsync(async () => await admin.CommitPlanAsync(new CommitPlanRequest { PlanId = planId }, cancellationToken: cancel)), cancel);
        }

        await UntilAsync(
            async () =>
            {
                var cluster = await admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: cancel);
                return cluster.Converged && cluster.PendingTransfers == 0 && cluster.Members.All(member => member.Up);
            },
            cancel);
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        while (!await condition())
        {
            await Task.Delay(50, limit.Token);
        }
    }

    /// <summary>Creates a bucket type, and waits until every node has it active.</summary>
    public async Task ActivateAsync(string name, string props, CancellationToken cancel)
    {
        var admin = Nodes[0].Admin;
        await admin.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = name, PropsJson = props }, cancellationToken: cancel);
        await UntilAsync(
            async () => (await admin.GetBucketTypeAsync(new GetBucketTypeRequest { Name = name }, cancellationToken: cancel)).State == BucketType.Types.State.Ready, cancel);
        await admin.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }, cancellationToken: cancel);
        foreach (var node in Nodes)
        {
            await UntilAsync(
                async () => (await node.Admin.GetBucketTypeAsync(new GetBucketTypeRequest { Name = name }, cancellationToken: cancel)).State == BucketType.Types.State.Active, cancel);
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(Nodes.Select(node => node.DisposeAsync().AsTask()));

    /// <summary>False where the state does not allow it yet, or a busy machine kept a node from answering in time.</summary>
    private static async Task<bool> TryAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable || e.Status.Detail.StartsWith("ring_not_ready", StringComparison.Ordinal))
        {
            return false;
        }
    }
}
