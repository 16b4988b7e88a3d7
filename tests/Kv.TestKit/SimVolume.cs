using System.Collections.Immutable;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>
/// A node's disk: partitions and node state, which outlive the node. A write is seen at once and is on disk when its sync ends, some time later and in order; a crash
/// keeps what was synced and some of what came after, up to a point that chance chooses.
/// </summary>
public sealed class SimVolume(SimScheduler scheduler)
{
    /// <summary>What the present incarnation keeps in memory alone.</summary>
    private readonly SortedDictionary<PartitionId, ImmutableSortedDictionary<byte[], byte[]>> memory = [];

    internal SortedDictionary<PartitionId, SimPartition> Data { get; } = [];

    internal SortedDictionary<string, byte[]> State { get; } = new(StringComparer.Ordinal);

    /// <summary>Partitions that were ever made here.</summary>
    internal long Births { get; set; }

    internal SimScheduler Scheduler { get; } = scheduler;

    /// <summary>How long a sync of a good disk takes at most.</summary>
    public static readonly TimeSpan UsualSyncTime = TimeSpan.FromMilliseconds(2);

    /// <summary>How long a sync takes at most; where that is more than usual, reading in order takes as long.</summary>
    public TimeSpan MostSyncTime { get; set; } = UsualSyncTime;

    /// <summary>How long a write that nobody waits for stays off the disk at most.</summary>
    public TimeSpan MostIdleTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The room for keys that are kept in memory alone, as a node has it in production; null for stores that know of no such keys.</summary>
    public long? MemoryRoomBytes { get; set; }

    /// <summary>For stories: the next sync, of a store or of a fact of the node, fails for good.</summary>
    public bool FailSyncs { get; set; }

    /// <summary>For stories: stores refuse writes and stay usable, as on a disk that is nearly full.</summary>
    public bool IsFull { get; set; }

    /// <summary>For stories: where this is false, a full disk has no room for the facts of the node either.</summary>
    public bool HasReserve { get; set; } = true;

    /// <summary>What the stores say that there is room for.</summary>
    public long FreeBytes { get; set; } = long.MaxValue;

    /// <summary>What the stores say that their files take.</summary>
    public long UsedBytes { get; set; }

    /// <summary>What the stores say that has to stay free.</summary>
    public long ReservedBytes { get; set; }

    /// <summary>The longest key that a store takes.</summary>
    public int MostKeyBytes { get; set; } = 1 << 20;

    /// <summary>The longest value that a store takes.</summary>
    public int MostValueBytes { get; set; } = 1 << 26;

    /// <summary>For stories: stores refuse reads and stay usable, as where there is no memory for a value.</summary>
    public bool RefusesReads { get; set; }

    /// <summary>For stories: longer values are refused, one by one.</summary>
    public int LongestRead { get; set; } = int.MaxValue;

    /// <summary>For stories: there is no memory at all for a read.</summary>
    public bool RunsOutOfMemory { get; set; }

    /// <summary>For stories: this partition's store is found damaged when it is opened.</summary>
    public PartitionId? Damaged { get; set; }

    /// <summary>For stories: this partition's store cannot be opened, for a reason that has nothing to do with its data.</summary>
    public PartitionId? Broken { get; set; }

    /// <summary>Partitions that were found damaged, over restarts too.</summary>
    public SortedDictionary<PartitionId, string> Reported { get; } = [];

    /// <summary>There is no room on the disk for the record of a drop, or of what is given up.</summary>
    public bool RefusesDrops { get; set; }

    /// <summary>Stores that the present incarnation is opening.</summary>
    public int Opening { get; internal set; }

    /// <summary>Folds of the present incarnation that have neither ended nor been closed.</summary>
    public int OpenFolds { get; internal set; }

    /// <summary>The most that <see cref="Opening"/> has been.</summary>
    public int MostOpening { get; internal set; }

    /// <summary>Sees every batch that a store takes, when it takes it.</summary>
    public Action<WriteBatch>? OnWrite { get; set; }

    /// <summary>Sees what a partition holds that is about to be dropped.</summary>
    public Action<PartitionId, IReadOnlyDictionary<byte[], byte[]>>? OnDrop { get; set; }

    /// <summary>Told when something goes that was in memory alone, and not because another has it.</summary>
    public Action? OnForget { get; set; }

    /// <summary>Partitions that have a store here.</summary>
    public IEnumerable<PartitionId> Partitions => Data.Where(pair => !pair.Value.IsDropped).Select(pair => pair.Key);

    /// <summary>Partitions with an entry whose checksum is wrong, or that were found damaged: their stores cannot be opened.</summary>
    public IEnumerable<PartitionId> Rotten => Data.Where(pair => pair.Value.IsRotten || Reported.ContainsKey(pair.Key)).Select(pair => pair.Key);

    /// <summary>Whether something here is rotten and nobody has found it yet.</summary>
    public bool HidesRot => Data.Any(pair => !pair.Value.IsDropped && pair.Value.IsRotten && !Reported.ContainsKey(pair.Key));

    internal TimeSpan SyncTime => MostSyncTime * Scheduler.Random.NextDouble();

    /// <summary>The stores for a new incarnation of the node; older ones are dead by then.</summary>
    public IPartitionStores OpenStores(SimContext context)
    {
        (Opening, MostOpening, OpenFolds) = (0, 0, 0);
        var disk = new SimStores(this, context);
        return MemoryRoomBytes is { } room ? new SimStoresWithMemory(this, disk, room) : disk;
    }

    public INodeState OpenState(SimContext context) => new SimNodeState(this, context);

    /// <summary>What readers of the partition's store see now, by key.</summary>
    public IReadOnlyDictionary<byte[], byte[]> Contents(PartitionId partition)
    {
        var stored = Data.TryGetValue(partition, out var data) && !data.IsDropped ? data.Seen : SimPartition.Nothing;
        return memory.TryGetValue(partition, out var held) ? stored.SetItems(held) : stored;
    }

    /// <summary>The index entries that readers of the partition's store see now, in order.</summary>
    public IReadOnlyCollection<byte[]> Index(PartitionId partition) => Data.TryGetValue(partition, out var data) && !data.IsDropped ? data.Index : [];

    /// <summary>The hash trees that lie with the partition's data; trees that were never built where there is none.</summary>
    public HashTrees Trees(PartitionId partition) => Data.TryGetValue(partition, out var data) && !data.IsDropped ? data.Trees : new HashTrees();

    /// <summary>An entry that chance chooses goes bad. The stores find it by its checksum, when they read it or are opened. False where nothing is stored.</summary>
    public bool Rot()
    {
        var stored = Data.Values.Where(partition => !partition.IsDropped).ToList();
        return stored.Count > 0 && stored[Scheduler.Random.Next(stored.Count)].Rot(Scheduler.Random);
    }

    /// <summary>The same of one partition's.</summary>
    public bool Rot(PartitionId partition) => Data.TryGetValue(partition, out var data) && !data.IsDropped && data.Rot(Scheduler.Random);

    /// <summary>A partition's files are gone while the node is down: the next start knows that there was a store, and reports it as damaged.</summary>
    public void Destroy(PartitionId partition)
    {
        Data.Remove(partition);
        Reported.TryAdd(partition, $"partition {partition}: its files are gone");
    }

    /// <summary>A partition's data is gone, and the storage does not know that it ever was there.</summary>
    public void Lose(PartitionId partition)
    {
        Data.Remove(partition);
        Reported.Remove(partition);
    }

    /// <summary>A partition holds something else under a key, as a bug may have left it; its trees are to be built anew.</summary>
    public void Replace(PartitionId partition, byte[] key, byte[] value)
    {
        var batch = new WriteBatch { NewTrees = new HashTrees() };
        batch.Put(key, value);
        Data[partition].Apply(batch);
        Data[partition].Close();
    }

    /// <summary>A partition does not hold a key, as if nothing of it had ever come there: its trees do not have it either.</summary>
    public void Miss(PartitionId partition, byte[] key, TreeRange range)
    {
        var batch = new WriteBatch();
        batch.Remove(key);
        var hash = EntryHash.OfKey(key);
        batch.Change(TreeChange.Of(range, hash, EntryHash.OfEntry(hash, Data[partition].Seen[key]), 0));
        Data[partition].Apply(batch);
        Data[partition].Close();
    }

    /// <summary>One of the node's facts is gone, as if somebody had removed its file while the node was down.</summary>
    public void LoseState(string name)
    {
        if (!State.Remove(name))
        {
            throw new ArgumentException($"there is no {name}: {string.Join(", ", State.Keys)}", nameof(name));
        }
    }

    /// <summary>The machine loses its power.</summary>
    public void Crash()
    {
        foreach (var partition in Data.Values)
        {
            partition.Crash(Scheduler.Random);
        }

        ForgetDropped();
        ForgetMemory();
    }

    /// <summary>The process dies and the machine goes on.</summary>
    public void CloseAll()
    {
        foreach (var partition in Data.Values)
        {
            partition.Close();
        }

        ForgetDropped();
        ForgetMemory();
    }

    internal void Remember(PartitionId partition, WriteBatch batch)
    {
        var kept = new WriteBatch();
        var held = memory.GetValueOrDefault(partition, SimPartition.Nothing);
        foreach (var entry in batch.Entries.Where(entry => entry.Backend == StoreBackend.Memory))
        {
            kept.Add(entry);
            held = entry.Value is { } value ? held.SetItem(entry.Key.ToArray(), value.ToArray()) : held.Remove(entry.Key.ToArray());
        }

        memory[partition] = held;
        OnWrite?.Invoke(kept);
    }

    internal void DropMemory(PartitionId partition) => memory.Remove(partition);

    internal void ForgetMemory(PartitionId partition)
    {
        if (memory.Remove(partition, out var held) && !held.IsEmpty)
        {
            OnForget?.Invoke();
        }
    }

    private void ForgetMemory()
    {
        foreach (var partition in memory.Keys.ToArray())
        {
            ForgetMemory(partition);
        }
    }

    private void ForgetDropped()
    {
        foreach (var empty in Data.Where(pair => pair.Value.IsDropped).Select(pair => pair.Key).ToArray())
        {
            Data.Remove(empty);
        }
    }
}
