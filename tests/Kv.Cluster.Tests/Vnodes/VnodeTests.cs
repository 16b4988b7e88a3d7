using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

public sealed class VnodeTests
{
    [Fact]
    public void Commands_OfOneTurn_SeeEachOther_AndAreWrittenOnce() => DataCluster.Run(1, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var props = cluster.Props();
        var before = vnode.Writes;
        var writes = node.Context.Enter(() => Enumerable.Range(0, 5)
            .Select(number => Wait(vnode.CoordinateAsync(Story.Key().Encoded, Story.Value($"{number}"), Kv.Core.Causality.VersionVector.Empty, props, null)))
            .ToArray());
        for (var number = 0; number < 5; number++)
        {
            Assert.Equal(number + 1, (await writes[number]).Object!.Siblings.Length);
        }

        Assert.Equal(before + 1, vnode.Writes);
    });

    [Fact]
    public void Answers_WaitForTheDisk_AndReadsDoNot() => DataCluster.Run(2, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        var write = node.Context.Enter(() => Wait(vnode.CoordinateAsync(
            Story.Key().Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null)));
        var read = await node.Context.CallAsync(() => vnode.GetAsync(Story.Key().Encoded, headOnly: false));
        Assert.NotNull(((PeerReply.Object)read.Reply).Stored);
        Assert.False(write.IsCompleted);
    });

    [Fact]
    public void AConfirmationOfWhatIsNotOnDiskYet_WaitsForIt() => DataCluster.Run(3, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var stored = (await node.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key("other").Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null))).Stored;
        node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        var first = node.Context.Enter(() => MergeAsync(cluster, vnode, stored, Durability.Synced));
        await cluster.WaitAsync(0.1);
        var again = node.Context.Enter(() => MergeAsync(cluster, vnode, stored, Durability.Synced));
        await cluster.WaitAsync(0.1);
        Assert.False(first.IsCompleted || again.IsCompleted);
        await cluster.WaitAsync(3600);
        Assert.True(first.IsCompleted && again.IsCompleted);
    });

    [Fact]
    public void AConfirmationOfWhatWasWrittenWithoutASync_SyncsIt() => DataCluster.Run(4, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var stored = (await node.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key("other").Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null))).Stored;
        node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        Assert.IsType<PeerReply.Done>((await node.Context.Enter(() => MergeAsync(cluster, vnode, stored, Durability.Memory))).Reply);
        var confirmed = node.Context.Enter(() => MergeAsync(cluster, vnode, stored, Durability.Synced));
        await cluster.WaitAsync(0.1);
        Assert.False(confirmed.IsCompleted);
        await cluster.WaitAsync(7200);
        Assert.True(confirmed.IsCompleted);
    });

    [Fact]
    public void WhatIsForgotten_IsSaidToBeGone_WhenThatIsOnDisk() => DataCluster.Run(15, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var (key, none) = (Story.Key().Encoded, Kv.Core.Causality.VersionVector.Empty);
        var stored = (await node.Context.CallAsync(() => vnode.CoordinateAsync(key, Story.Value("v"), none, cluster.Props(), null))).Stored;
        node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        var forgotten = node.Context.Enter(() => vnode.ForgetAsync([new StoredEntry(key, stored)], vnode.Writes).AsTask());
        var told = node.Context.Enter(() => Wait(vnode.ConfirmAsync([new HeldKey(key, null)])));
        await cluster.WaitAsync(0.1);
        Assert.False(forgotten.IsCompleted);
        Assert.False(told.IsCompleted);
        await cluster.WaitAsync(7200);
        Assert.True(await forgotten);
        Assert.Equal([true], Assert.IsType<PeerReply.DoneEach>((await told).Reply).Keys);
    });

    [Fact]
    public void WhatIsWithItsOwner_IsForgotten_UnlessAnybodyMayRelyOnIt() => DataCluster.Run(14, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var (key, props, none) = (Story.Key().Encoded, cluster.Props(), Kv.Core.Causality.VersionVector.Empty);
        var first = await node.Context.CallAsync(() => vnode.CoordinateAsync(key, Story.Value("v"), none, props, null));
        var actor = first.Object!.Siblings[0].Dot!.Value.Actor;
        var writes = vnode.Writes;
        IReadOnlyList<StoredEntry> entries = [new(key, first.Stored)];

        // Confirmed meanwhile, before or in the same turn; then changed; then another value.
        await node.Context.Enter(() => MergeAsync(cluster, vnode, first.Stored, Durability.Synced));
        Assert.False(await node.Context.CallAsync(() => vnode.ForgetAsync(entries, writes)));
        writes = vnode.Writes;
        var (confirmed, forgotten) = node.Context.Enter(() => (MergeAsync(cluster, vnode, first.Stored, Durability.Synced), vnode.ForgetAsync(entries, writes).AsTask()));
        await confirmed;
        Assert.False(await forgotten);
        writes = vnode.Writes;
        Assert.True(await node.Context.CallAsync(() => vnode.ForgetAsync([new StoredEntry(key, new byte[] { 1 })], writes)));
        Assert.NotEqual(VnodeReply.Missing, await node.Context.CallAsync(() => vnode.GetAsync(key, headOnly: false)));

        // Forgotten, and merged in the same turn: somebody was told that it is here.
        var (gone, again) = node.Context.Enter(() => (vnode.ForgetAsync(entries, writes).AsTask(), MergeAsync(cluster, vnode, first.Stored, Durability.Synced)));
        Assert.True(await gone);
        await again;
        Assert.NotEqual(VnodeReply.Missing, await node.Context.CallAsync(() => vnode.GetAsync(key, headOnly: false)));
        Assert.Equal(writes + 1, vnode.Writes);

        Assert.True(await node.Context.CallAsync(() => vnode.ForgetAsync(entries, writes + 1)));
        Assert.Equal(VnodeReply.Missing, await node.Context.CallAsync(() => vnode.GetAsync(key, headOnly: false)));
        Assert.Equal(writes + 1, vnode.Writes);
        var later = await node.Context.CallAsync(() => vnode.CoordinateAsync(key, Story.Value("w"), none, props, null));
        Assert.NotEqual(actor, later.Object!.Siblings[0].Dot!.Value.Actor);
    });

    [Fact]
    public void AFailedSync_FailsTheNode_AndAcknowledgesNothing() => DataCluster.Run(5, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        node.Volume.FailSyncs = true;
        var failed = await node.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key().Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null));
        Assert.IsType<PeerReply.Refused>(failed.Reply);
        Assert.True(node.Host.Failed.IsCompleted);
        var later = await node.Context.CallAsync(() => vnode.GetAsync(Story.Key().Encoded, headOnly: false));
        Assert.Equal(VnodeReply.StorageFailed, later);
    });

    [Fact]
    public void AFullDisk_RefusesWrites_AnswersReads_AndEndsNothing() => DataCluster.Run(12, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        await node.StoreAsync("kept");
        node.Volume.IsFull = true;
        var (before, write, other, seesIt) = node.Context.Enter(() => (
            Wait(vnode.GetAsync(Story.Key("another").Encoded, headOnly: false)),
            Wait(vnode.CoordinateAsync(Story.Key().Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null)),
            Wait(vnode.GetAsync(Story.Key("other").Encoded, headOnly: false)),
            Wait(vnode.GetAsync(Story.Key().Encoded, headOnly: false))));
        Assert.Equal(VnodeReply.Missing, await before);
        Assert.Equal(VnodeReply.Overloaded, await write);
        Assert.Equal(VnodeReply.Missing, await other);
        Assert.Equal(VnodeReply.Overloaded, await seesIt);
        Assert.False(node.Host.Failed.IsCompleted);
        Assert.Equal(["kept"], Story.Values((await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!));

        node.Volume.IsFull = false;
        await node.StoreAsync("later");
        Assert.Equal(["kept", "later"], Story.Values((await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!));
    });

    [Fact]
    public void AReadThatThereIsNoMemoryFor_IsRefused_AndEndsNothing() => DataCluster.Run(13, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        await node.StoreAsync("kept");
        node.Volume.RefusesReads = true;
        Assert.Equal(VnodeReply.Overloaded, await node.Context.CallAsync(() => vnode.GetAsync(Story.Key().Encoded, headOnly: false)));
        node.Volume.RefusesReads = false;
        Assert.Equal(["kept"], Story.Values((await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!));
        Assert.False(node.Host.Failed.IsCompleted);
    });

    [Fact]
    public void AValueThatThereIsNoMemoryFor_IsRefused_AndTheOthersOfItsTurnAreAnswered() => DataCluster.Run(14, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        await node.StoreAsync(new string('v', 1000));
        node.Volume.LongestRead = 500;
        var (read, write, other, entry) = node.Context.Enter(() => (
            Wait(vnode.GetAsync(Story.Key().Encoded, headOnly: false)),
            Wait(vnode.CoordinateAsync(Story.Key().Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null)),
            Wait(vnode.GetAsync(Story.Key("other").Encoded, headOnly: false)),
            Wait(vnode.CoordinateAsync(Story.Key("new").Encoded, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null))));
        Assert.Equal((VnodeReply.Overloaded, VnodeReply.Overloaded, VnodeReply.Missing), (await read, await write, await other));
        Assert.IsType<PeerReply.Done>((await entry).Reply);

        node.Volume.LongestRead = int.MaxValue;
        Assert.Equal([new string('v', 1000)], Story.Values((await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!));
    });

    [Fact]
    public void ATurnThatRunsOutOfMemoryBeforeItWrites_IsRefused_AndEndsNothing() => DataCluster.Run(15, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        await node.StoreAsync("kept");
        node.Volume.RunsOutOfMemory = true;
        Assert.Equal(VnodeReply.Overloaded, await node.Context.CallAsync(() => vnode.GetAsync(Story.Key().Encoded, headOnly: false)));
        node.Volume.RunsOutOfMemory = false;
        await node.StoreAsync("later");
        Assert.Equal(["kept", "later"], Story.Values((await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!));
        Assert.False(node.Host.Failed.IsCompleted);
    });

    [Fact]
    public void Transfer_PassesOnWhatIsWrittenAfterItsBeginning_BeforeItIsAcknowledged() => DataCluster.Run(6, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var target = cluster.Outsider();
        var transfer = await node.Context.CallAsync(() => vnode.BeginTransferAsync(target.Id, CancellationToken.None));
        await node.StoreAsync("v");
        Assert.False(transfer!.IsBroken);
        Assert.Equal(["v"], Story.Values((await cluster.HeldAsync(target.Id, vnode.Partition, Story.Key()))!));
        var here = (await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!;
        Assert.True(here.IsSameAs((await cluster.HeldAsync(target.Id, vnode.Partition, Story.Key()))!));
    });

    [Fact]
    public void Transfer_WhoseTargetFails_IsBrokenAndTheWriteStands() => DataCluster.Run(7, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var target = cluster.Outsider();
        var transfer = await node.Context.CallAsync(() => vnode.BeginTransferAsync(target.Id, CancellationToken.None));
        target.Kill();
        await node.StoreAsync("v");
        Assert.True(transfer!.IsBroken);
        Assert.False(transfer.TryMarkCompleting());
    });

    [Fact]
    public void Transfer_ThatIsCompleting_FailsTheWriteRatherThanLoseIt() => DataCluster.Run(8, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var target = cluster.Outsider();
        var transfer = await node.Context.CallAsync(() => vnode.BeginTransferAsync(target.Id, CancellationToken.None));
        Assert.True(transfer!.TryMarkCompleting());
        target.Kill();
        var error = Story.Error(await node.AskAsync(Story.Put("v")));
        Assert.True(error.IsIndeterminate);
        Assert.False(transfer.IsBroken);
        transfer.End();
        await node.StoreAsync("w");
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transfer_ThatHasNotTakenAWriteYet_KeepsOthersFromConfirmingIt(bool fails) => DataCluster.Run(24, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        var (first, second) = (await StoredAsync(cluster, "first"), await StoredAsync(cluster, "second"));
        var target = cluster.Outsider();
        var transfer = await node.Context.CallAsync(() => vnode.BeginTransferAsync(target.Id, CancellationToken.None));
        Assert.True(transfer!.TryMarkCompleting());
        cluster.Network.Hold = (_, _, request) => request is PeerRequest.VnodePut put && put.Object.Span.SequenceEqual(first.Span)
            ? TimeSpan.FromSeconds(fails ? 10 : 1)
            : TimeSpan.Zero;
        var write = node.Context.Enter(() => MergeAsync(cluster, vnode, first, Durability.Synced));
        await cluster.WaitAsync(0.1);
        var (again, other) = node.Context.Enter(() => (
            MergeAsync(cluster, vnode, first, Durability.Synced),
            Wait(vnode.MergeAsync(Story.Key("other").Encoded, second, node.Fences.Own, Durability.Synced, cluster.Props()))));
        await cluster.WaitAsync(0.5);
        Assert.False(write.IsCompleted || again.IsCompleted || other.IsCompleted);
        await cluster.WaitAsync(fails ? 6 : 1);
        Assert.Equal(!fails, (await write).Reply is PeerReply.Done);
        Assert.Equal(!fails, (await again).Reply is PeerReply.Done);
    });

    [Fact]
    public void Reap_DuringATransfer_IsRefused() => DataCluster.Run(9, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        await node.AskAsync(new KvRequest.Delete { Key = Story.Key(), Context = Kv.Core.Causality.VersionVector.Empty });
        var hash = (await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()))!.Clock.StableHash();
        var transfer = await node.Context.CallAsync(() => vnode.BeginTransferAsync(cluster.Outsider().Id, CancellationToken.None));
        HeldKey[] tombstone = [new(Story.Key().Encoded, hash)];
        Assert.Equal([false], Done(await node.Context.CallAsync(() => vnode.ConfirmAsync(tombstone))));
        Assert.Equal([false], Done(await node.Context.CallAsync(() => vnode.ReapAsync(tombstone))));
        transfer!.End();
        Assert.Equal([true], Done(await node.Context.CallAsync(() => vnode.ConfirmAsync(tombstone))));
        Assert.Equal([true], Done(await node.Context.CallAsync(() => vnode.ReapAsync(tombstone))));
        Assert.Null(await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key()));
    });

    [Fact]
    public void Drop_AfterAWriteInBetween_DoesNotHappen_AndWritesWhileDroppingArriveInANewVnode() => DataCluster.Run(10, 5, async cluster =>
    {
        var standIn = cluster.Outsider();
        var partition = cluster.Partition(0);
        var stored = await StoredAsync(cluster, "a");
        await standIn.Context.CallAsync(() => PutAsync(cluster, standIn, partition, stored));
        var vnode = standIn.Host.Find(partition)!;
        var seen = vnode.Writes;
        await standIn.Context.CallAsync(() => PutAsync(cluster, standIn, partition, StoredAsync(cluster, "b")));
        Assert.False(await standIn.Context.CallAsync(() => standIn.Host.TryDropAsync(vnode, seen, null, CancellationToken.None)));
        Assert.NotNull(await cluster.HeldAsync(standIn.Id, partition, Story.Key()));

        var dropping = standIn.Context.CallAsync(() => standIn.Host.TryDropAsync(vnode, vnode.Writes, null, CancellationToken.None));
        var writing = standIn.Context.CallAsync(() => PutAsync(cluster, standIn, partition, stored));
        var (dropped, written) = (await dropping, await writing);
        Assert.IsType<PeerReply.Done>(written);
        Assert.NotNull(await cluster.HeldAsync(standIn.Id, partition, Story.Key()));
        Assert.Equal(dropped, standIn.Host.Find(partition) != vnode);
    });

    [Fact]
    public void Drop_ThatTheDiskHasNoRoomFor_DoesNotHappen_AndIsDoneLater() => DataCluster.Run(10, 5, async cluster =>
    {
        var standIn = cluster.Outsider();
        var partition = cluster.Partition(0);
        await standIn.Context.CallAsync(() => PutAsync(cluster, standIn, partition, StoredAsync(cluster, "a")));
        var vnode = standIn.Host.Find(partition)!;
        standIn.Volume.RefusesDrops = true;
        Assert.False(await standIn.Context.CallAsync(() => standIn.Host.TryDropAsync(vnode, vnode.Writes, null, CancellationToken.None)));
        Assert.IsType<PeerReply.ListPage>(await standIn.Context.CallAsync(() => vnode.ListAsync(new PeerRequest.VnodeList(partition, Story.Key().BucketType, null, 0, 1), CancellationToken.None)));
        Assert.IsType<PeerReply.Done>(await standIn.Context.CallAsync(() => PutAsync(cluster, standIn, partition, StoredAsync(cluster, "b"))));
        standIn.Volume.RefusesDrops = false;
        Assert.True(await standIn.Context.CallAsync(() => standIn.Host.TryDropAsync(vnode, vnode.Writes, null, CancellationToken.None)) && standIn.Host.Find(partition) is null && !standIn.Host.Failed.IsCompleted);
    });

    [Fact]
    public void AnOlderWrite_ThatArrivesLateAtALastWriteWinsBucket_DoesNotReplaceANewerOne() => DataCluster.Run(13, 5, async cluster =>
    {
        cluster.SetType("lww", BucketProps.NewType with { LastWriteWins = true, DvvEnabled = false });
        var key = Story.Key(type: "lww");
        ReadOnlyMemory<byte>? late = null;
        var slow = cluster.Primary(1, key).Id;
        cluster.Network.Drop = (_, to, request) =>
        {
            if (late is null && to == slow && request is PeerRequest.VnodePut put)
            {
                late = put.Object;
                return true;
            }

            return false;
        };
        await cluster.Primary(0, key).StoreAsync("older", key: key);
        await cluster.Primary(2, key).StoreAsync("newer", key: key);
        await cluster.WaitAsync(1);
        var (node, partition) = (cluster.Primary(1, key), cluster.Partition(1, key));
        var reply = await node.Context.CallAsync(() => node.Gate.PutAsync(
            partition, key, late!.Value, VnodePutKind.Replicate, Durability.Synced, cluster.Document.Version, node.Fences.Own));
        Assert.IsType<PeerReply.Done>(reply);
        Assert.Equal(["newer"], Story.Values((await cluster.HeldAsync(node.Id, partition, key))!));
    });

    [Fact]
    public void AVnodeWhoseStoreIsOpenedEmpty_AfterItCoordinated_IsANewActor() => DataCluster.Run(14, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        await node.StoreAsync("old");
        await cluster.WaitAsync(1);
        await node.StopAsync();
        node.Volume.Lose(cluster.Partition(0));
        await node.StartAsync(cluster.Document);
        cluster.Detect();
        await node.StoreAsync("new");
        await cluster.WaitAsync(1);
        Assert.Equal(["new", "old"], Story.Values(await cluster.Primary(1).AskAsync(Story.Get() with { R = QuorumValue.All })));
    });

    [Fact]
    public void MergeBatch_OfWhatCannotBeRead_IsRefused_AndTheNodeGoesOn() => DataCluster.Run(11, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        foreach (var (key, value) in new[] { (Story.Key().Encoded, "junk"u8.ToArray()), ("junk"u8.ToArray(), (await StoredAsync(cluster, "v")).ToArray()) })
        {
            StoredEntry[] entries = [new(key, value)];
            Assert.IsType<PeerReply.Refused>(await node.Context.CallAsync(() => vnode.MergeBatchAsync(entries, node.Fences.Own, CancellationToken.None)));
        }

        Assert.False(node.Host.Failed.IsCompleted);
        StoredEntry[] good = [new(Story.Key().Encoded, await StoredAsync(cluster, "v"))];
        Assert.IsType<PeerReply.Done>(await node.Context.CallAsync(() => vnode.MergeBatchAsync(good, node.Fences.Own, CancellationToken.None)));
    });

    [Fact]
    public void ARequestOfAnOlderDocument_ForAnothersPartition_IsWrongOwner_AndOneOfTheSameIsAStandIn() => DataCluster.Run(12, 5, async cluster =>
    {
        var other = cluster.Outsider();
        cluster.Decide(document => document);
        var version = cluster.Document.Version;
        var old = await other.Context.CallAsync(() => other.Gate.GetAsync(cluster.Partition(0), Story.Key(), headOnly: false, version - 1));
        Assert.Equal(version, Assert.IsType<PeerReply.WrongOwner>(old).DocumentVersion);
        var same = await other.Context.CallAsync(() => other.Gate.GetAsync(cluster.Partition(0), Story.Key(), headOnly: false, version));
        Assert.Null(Assert.IsType<PeerReply.Object>(same).Stored);
        Assert.Null(other.Host.Find(cluster.Partition(0)));
    });

    [Fact]
    public void SiblingsThatTogetherAreTooLong_AreRefused_AndTheNodeGoesOn() => DataCluster.Run(22, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        node.Volume.MostValueBytes = 1000;
        var one = await node.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key().Encoded, Story.Value(new string('a', 600)), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null));
        Assert.IsType<PeerReply.Done>(one.Reply);
        var two = await StoredAsync(cluster, new string('b', 600));
        Assert.IsType<PeerReply.Refused>((await node.Context.Enter(() => MergeAsync(cluster, vnode, two, Durability.Synced))).Reply);
        var batch = new StoredEntry[] { new(Story.Key().Encoded, two) };
        Assert.IsType<PeerReply.Refused>(await node.Context.CallAsync(() => vnode.MergeBatchAsync(batch, node.Fences.Own, CancellationToken.None)));
        Assert.False(node.Host.Failed.IsCompleted);
    });

    [Fact]
    public void AKeyTooLongForTheStore_IsRefused_AndTheNodeGoesOn() => DataCluster.Run(23, 5, async cluster =>
    {
        var (node, vnode) = await OpenAsync(cluster);
        node.Volume.MostKeyBytes = 100;
        var key = Story.Key(new string('k', 200)).Encoded;
        var write = await node.Context.CallAsync(() => vnode.CoordinateAsync(
            key, Story.Value("v"), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null));
        Assert.IsType<KvError.InvalidRequest>(write.Error);
        Assert.IsType<PeerReply.Refused>((await node.Context.CallAsync(() => vnode.GetAsync(key, headOnly: false))).Reply);
        Assert.False(node.Host.Failed.IsCompleted);
    });

    private static async Task<(DataNode Node, Vnode Vnode)> OpenAsync(DataCluster cluster)
    {
        var node = cluster.Primary(0);
        var partition = cluster.Partition(0);
        return (node, await node.Context.Enter(() => node.Host.OpenAsync(partition, CancellationToken.None)));
    }

    private static async Task<VnodeReply> Wait(ValueTask<VnodeReply> answer) => await answer;

    private static IReadOnlyList<bool> Done(VnodeReply reply) => Assert.IsType<PeerReply.DoneEach>(reply.Reply).Keys;

    private static async Task<VnodeReply> MergeAsync(DataCluster cluster, Vnode vnode, ReadOnlyMemory<byte> stored, Durability durability) =>
        await vnode.MergeAsync(Story.Key().Encoded, stored, cluster.Primary(0).Fences.Own, durability, cluster.Props());

    private static ValueTask<PeerReply> PutAsync(DataCluster cluster, DataNode node, PartitionId partition, ReadOnlyMemory<byte> stored) =>
        node.Gate.PutAsync(partition, Story.Key(), stored, VnodePutKind.Replicate, Durability.Synced, cluster.Document.Version, node.Fences.Own);

    private static async ValueTask<PeerReply> PutAsync(DataCluster cluster, DataNode node, PartitionId partition, Task<ReadOnlyMemory<byte>> stored) =>
        await PutAsync(cluster, node, partition, await stored);

    /// <summary>An object as another vnode made it.</summary>
    private static async Task<ReadOnlyMemory<byte>> StoredAsync(DataCluster cluster, string value)
    {
        var maker = cluster.Primary(1);
        var vnode = await maker.Context.Enter(() => maker.Host.OpenAsync(cluster.Partition(1), CancellationToken.None));
        var reply = await maker.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key($"made of {value}").Encoded, Story.Value(value), Kv.Core.Causality.VersionVector.Empty, cluster.Props(), null));
        return reply.Stored;
    }
}
