using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.AntiEntropy;

/// <summary>What the repair of a bucket's keys counts as repaired is what every replica that is up has shown and taken.</summary>
public sealed class KeyRepairTests
{
    [Fact]
    public void KeysThatAReplicaDoesNotShow_AreNotRepaired() => Run(31, async (cluster, load, silent) =>
    {
        cluster.Network.Drop = (_, to, request) => to == silent.Id && request is PeerRequest.VnodeGet;
        var view = await RepairAsync(cluster, load);
        Assert.Equal((load.Keys.Count, 0, Held(cluster, load, silent)), (view.KeysFound, view.KeysRepaired, view.KeysNotRepaired));
        Assert.Contains("not repaired", view.LastError, StringComparison.Ordinal);
        cluster.Network.Drop = null;
        view = await RepairAsync(cluster, load);
        Assert.Equal((load.Keys.Count, 0, ""), (view.KeysFound, view.KeysNotRepaired, view.LastError));
    });

    [Fact]
    public void KeysThatAReplicaDoesNotTake_AreNotRepaired() => Run(32, async (cluster, load, forgetful) =>
    {
        forgetful.Kill(losesPower: false);
        foreach (var partition in forgetful.Volume.Partitions.ToList())
        {
            forgetful.Volume.Lose(partition);
        }

        await forgetful.StartAsync();
        await cluster.SettleAsync();
        cluster.Network.Drop = (_, to, request) => to == forgetful.Id && request is PeerRequest.VnodePut { Kind: VnodePutKind.Repair };
        var view = await RepairAsync(cluster, load);
        Assert.Equal((load.Keys.Count, 0, Held(cluster, load, forgetful)), (view.KeysFound, view.KeysRepaired, view.KeysNotRepaired));
        cluster.Network.Drop = null;
        view = await RepairAsync(cluster, load);
        Assert.Equal((load.Keys.Count, Held(cluster, load, forgetful), 0, ""), (view.KeysFound, view.KeysRepaired, view.KeysNotRepaired, view.LastError));
        load.VerifyHeldBy(forgetful);
    });

    /// <summary>Keys that the node is an owner of.</summary>
    private static int Held(SimCluster cluster, Load load, SimNode node)
    {
        var ring = cluster.Document.Ring;
        return load.Keys.Count(key => PreferenceList.Primaries(ring, RingHash.FirstPartition(key, BucketProps.NewType.ChashKeyFun, ring.Size), 3).Any(entry => entry.Node == node.Id));
    }

    /// <summary>Three nodes that hold the keys, and one of them that is not asked for repairs.</summary>
    private static void Run(int seed, Func<SimCluster, Load, SimNode, Task> story) => SimCluster.Run(seed, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var load = await Load.BeginAsync(cluster, clientCount: 0);
        await load.WriteAllAsync(cluster.Nodes[0]);
        await cluster.DelayAsync(TimeSpan.FromSeconds(2));
        await story(cluster, load, cluster.Nodes[1]);
    });

    private static async Task<KeyRepairView> RepairAsync(SimCluster cluster, Load load)
    {
        var admin = cluster.Nodes[2].Node.Admin;
        SimCluster.Expect(admin.RepairKeys(new BucketName(load.KeyOf(0).BucketType, load.KeyOf(0).Bucket), default, default));
        await cluster.UntilAsync(() => !admin.GetAntiEntropy().KeyRepair!.IsRunning, 300, "the repair ends");
        return admin.GetAntiEntropy().KeyRepair!;
    }
}
