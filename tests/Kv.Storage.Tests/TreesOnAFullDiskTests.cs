using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>Trees may be larger than all else that is written: where the disk is nearly full they count as what they are.</summary>
public sealed class TreesOnAFullDiskTests
{
    private static readonly PartitionId One = new(1);

    [Fact]
    public async Task NewTrees_ThatThereIsNoRoomFor_AreRefused()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        var trees = FullTrees();
        disk.FreeBytesLeft = trees.EncodedBytes * 3 / 2;
        await engine.UpkeepOnceAsync();
        await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.WriteAsync(new WriteBatch { NewTrees = trees }, Durability.Synced, CancellationToken.None));
        Assert.Empty(store.Trees.Ranges);
    }

    [Fact]
    public async Task ACheckpoint_WaitsForRoomForThem()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node") with { LogCapBytes = 64 * 1024 * 1024 }, disk);
        var store = (FasterPartitionStore)await engine.OpenAsync(One, CancellationToken.None);
        await store.WriteAsync(new WriteBatch { NewTrees = FullTrees() }, Durability.Synced, CancellationToken.None);
        await engine.UpkeepOnceAsync();
        Assert.Equal(store.Trees.Encode().Length, store.Trees.EncodedBytes);
        disk.FreeBytesLeft = store.Trees.EncodedBytes;
        Assert.False(store.HasRoomForUpkeep());
        disk.FreeBytesLeft = store.Trees.EncodedBytes * 3;
        Assert.True(store.HasRoomForUpkeep());
        disk.MakeRoom();
    }

    /// <summary>Nothing but a checkpoint gives the log's bytes back: writes must not take the room that it needs.</summary>
    [Fact]
    public async Task Writes_AreRefused_BeforeACheckpointHasNoRoom()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node") with { LogCapBytes = 64 * 1024 * 1024 }, disk);
        var store = (FasterPartitionStore)await engine.OpenAsync(One, CancellationToken.None);
        await store.WriteAsync(new WriteBatch { NewTrees = FullTrees() }, Durability.Synced, CancellationToken.None);
        await engine.UpkeepOnceAsync();
        disk.FreeBytesLeft = store.RoomForUpkeep;
        await engine.UpkeepOnceAsync();
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.PutAsync("k", "v"));

        disk.FreeBytesLeft = 2 * store.RoomForUpkeep;
        await engine.UpkeepOnceAsync();
        await store.PutAsync("k", "v");
        disk.MakeRoom();
    }

    /// <summary>Of 16 MiB.</summary>
    private static HashTrees FullTrees()
    {
        const int depth = 6;
        var trees = new HashTrees { FirstDepth = depth };
        for (var leaf = 0; leaf < HashTree.Segments << depth; leaf += 256)
        {
            trees.Apply(new TreeChange(TreeOperations.Range, leaf << (HashTree.MaxDepth - depth), 1));
        }

        return trees;
    }
}
