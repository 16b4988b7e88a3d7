using Kv.Cluster.Async;
using Kv.Cluster.Handoff;
using Kv.Cluster.Membership;
using Kv.Cluster.Tests.Coordination;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Cluster.Tests.Handoff;

public sealed class HandoffSchedulerTests
{
    /// <summary>Between a job's turn and its first step the node may have come to own what it holds: the owner's copy is no reason any more to remove its own.</summary>
    [Fact]
    public void AHintedTransfer_WhoseNodeBecameTheNextOwner_RemovesNothing() => DataCluster.Run(5, 4, async cluster =>
    {
        var holder = cluster.Outsider();
        var partition = cluster.Partition(0);
        var vnode = await holder.Context.Enter(() => holder.Host.OpenAsync(partition, CancellationToken.None));
        await holder.Context.CallAsync(() => vnode.CoordinateAsync(Story.Key().Encoded, Story.Value("held"), VersionVector.Empty, cluster.Props(), null));
        using var stop = new CancellationTokenSource();
        var failures = new List<Exception>();
        var running = holder.Context.Enter(() =>
        {
            var handoff = Scheduler(cluster, holder, failures.Add);
            var task = handoff.RunAsync(stop.Token);
            Assert.Equal(1, handoff.Running);
            var ring = cluster.Document.Ring;
            cluster.Decide(document => document with { Ring = new Ring(ring.Owners, ring.NextOwners.SetItem(partition.Number, holder.Id)) });
            return task;
        });
        await cluster.WaitAsync(30);
        Assert.Equal(["held"], Story.Values((await cluster.HeldAsync(holder.Id, partition, Story.Key()))!));
        stop.Cancel();
        await running;
        Assert.Empty(failures);
    });

    /// <summary>Of a node alone, which has nobody to agree or to gossip with.</summary>
    private static HandoffScheduler Scheduler(DataCluster cluster, DataNode node, Action<Exception> onFailure)
    {
        var (options, time, statistics) = (cluster.Options, node.Context.Time, node.Statistics.Handoff);
        var receiver = new HandoffReceiver(options, node.State, node.Host, statistics);
        var transport = new WatchedTransport(cluster.Network.TransportOf(node.Id, node.Context), node.State, node.Fences);
        var sender = new HandoffSender(options, node.Id, receiver, transport, node.Fences, statistics, time, new Random(1));
        return new HandoffScheduler(
            options, node.State, node.Host, sender, null!, null!, time, new BackgroundTasks(onFailure), statistics, NullLogger<HandoffScheduler>.Instance);
    }
}
