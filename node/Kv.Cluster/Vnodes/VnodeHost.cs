using System.Runtime.ExceptionServices;
using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// The node's vnodes by partition. Those with data on disk are opened at the start, those that the node owns when it comes to own them, any other when
/// a write for it first arrives (the node stands in for its owner, or is being sent it). Safe from any thread.
/// </summary>
public sealed partial class VnodeHost
{
    private readonly ClusterState state;
    private readonly IPartitionStores stores;
    private readonly INodeState nodeState;
    private readonly IPeerTransport transport;
    private readonly Fences fences;
    private readonly TimeProvider time;
    private readonly ClusterOptions options;
    private readonly KvStatistics statistics;
    private readonly ILogger logger;
    private readonly TaskCompletionSource<Exception> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards the three below; never held over an await.
    private readonly Lock gate = new();
    private readonly Dictionary<PartitionId, Task<Vnode>> vnodes = [];
    private Vnode[] open = [];
    private bool isStopping;

    // A partition that the node owns had no room: the next that goes makes some.
    private bool isFull;

    private VnodeContext? context;

    public VnodeHost(
        ClusterState state,
        IPartitionStores stores,
        INodeState nodeState,
        IPeerTransport transport,
        Fences fences,
        TimeProvider time,
        ClusterOptions options,
        KvStatistics statistics,
        ILogger logger)
    {
        (this.state, this.stores, this.nodeState, this.transport, this.fences) = (state, stores, nodeState, transport, fences);
        (this.time, this.options, this.statistics, this.logger) = (time, options, statistics, logger);
        Inspections = new Inspections(options, time);
        Clocks = new MemberClocks(time, static () => []);
        statistics.MailboxDepth = MailboxDepth;
        statistics.DamagedPartitions = () => stores.Damaged.Count;
        Layouts = new TreeLayouts(state, options);
    }

    /// <summary>Completes, with the reason, when a store failed: the process has to end.</summary>
    public Task<Exception> Failed => failed.Task;

    internal TreeLayouts Layouts { get; }

    /// <summary>Takes up keys whose tombstones vnodes came across. Set before the start.</summary>
    internal Func<ObjectKey, bool> Reap { get; set; } = static _ => false;

    /// <summary>By which objects with an end are judged; this node's own clock where nobody sets it. Set before the start.</summary>
    internal MemberClocks Clocks { get; set; }

    /// <summary>The vnodes that are open now.</summary>
    public IReadOnlyList<Vnode> Open => Volatile.Read(ref open);

    /// <summary>What data is taken under, here and elsewhere.</summary>
    internal Fences Fences => fences;

    internal Inspections Inspections { get; }

    /// <summary>Takes the epoch and the fence for this run and opens the vnodes that have data or are owned. Throws <see cref="StoreException"/> on damage.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        var actors = await VnodeActors.OpenAsync(nodeState, state.Current.Self, cancel);
        await fences.OpenAsync(nodeState, cancel);
        context = new VnodeContext(options, time, Clocks, actors, fences, Inspections, statistics, PropsOf, PassOnAsync, OnFailed, Layouts, new KeyBackends(state), key => Reap(key));
        foreach (var (partition, reason) in stores.Damaged)
        {
            TellDamaged(partition, reason);
        }

        stores.FoundDamaged += OnFoundDamaged;
        await OpenAllAsync(stores.Partitions.Order(), cancel);
        state.Subscribe(Follow);
        SetMember(state.Current);
        await OpenOwnedAsync(state.Current);
    }

    /// <summary>Closes all vnodes, after what waits is done, and records their counters: the stop was clean.</summary>
    public async Task StopAsync()
    {
        Task<Vnode>[] closing;
        lock (gate)
        {
            isStopping = true;
            closing = [.. vnodes.Values];
            vnodes.Clear();
            open = [];
        }

        foreach (var opening in closing)
        {
            try
            {
                if (await OpenedAsync(opening) is { } vnode)
                {
                    await CloseAsync(vnode);
                }
            }
            catch (StoreException exception)
            {
                OnFailed(default, exception);
            }
        }

        if (context is not null && !failed.Task.IsCompleted)
        {
            await context.Actors.CloseAsync(CancellationToken.None);
            context.Actors.Dispose();
        }
    }

    private async Task CloseAsync(Vnode vnode)
    {
        try
        {
            await vnode.DisposeAsync();
        }
        finally
        {
            if (vnode.WillForget)
            {
                // What it kept in memory alone is gone with it, what waited until now too, whatever the counters say.
                context!.Actors.Forget(vnode.Partition);
            }
        }
    }

    /// <summary>Null where it did not open: there was no room, or another document was faster.</summary>
    private static async Task<Vnode?> OpenedAsync(Task<Vnode> opening)
    {
        try
        {
            return await opening;
        }
        catch (Exception exception) when (exception is StoreRefusedException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The most that a vnode has of something; 0 where none is open.</summary>
    internal long MostOf(Func<Vnode, long> what) => Open.Select(what).DefaultIfEmpty().Max();

    /// <summary>The partition's vnode if it is open; what was dropped or never written to is not.</summary>
    // hot
    public Vnode? Find(PartitionId partition)
    {
        lock (gate)
        {
            return vnodes.TryGetValue(partition, out var opening) && opening.IsCompletedSuccessfully ? opening.Result : null;
        }
    }

    /// <summary>The partition's vnode, opened if it is not.</summary>
    /// <exception cref="StoreDamagedException">The partition's data here is damaged or gone.</exception>
    /// <exception cref="StoreException">The store cannot be opened; the node fails with it.</exception>
    /// <exception cref="StoreRefusedException">It would be a new one, and there is no room for it.</exception>
    /// <exception cref="InvalidOperationException">The host is not started, or is stopping.</exception>
    public Task<Vnode> OpenAsync(PartitionId partition, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TaskCompletionSource<Vnode> opening;
        lock (gate)
        {
            if (isStopping || context is null)
            {
                throw new InvalidOperationException("the node is stopping or not started");
            }

            if (vnodes.TryGetValue(partition, out var known))
            {
                return known;
            }

            if (vnodes.Count >= options.MaxVnodes && !stores.Partitions.Contains(partition) && !IsRebuiltHere(partition))
            {
                isFull = true;
                throw new StoreRefusedException($"this node has {vnodes.Count} partitions, as many as its memory is divided for (the setting `stores`), and takes no other: the ring needs more nodes, or each of them more memory");
            }

            opening = new TaskCompletionSource<Vnode>(TaskCreationOptions.RunContinuationsAsynchronously);
            vnodes.Add(partition, opening.Task);
        }

        _ = OpenNewAsync(partition, opening);
        return opening.Task;
    }

    /// <summary>
    /// Drops the vnode's data for good if nothing was written since its <see cref="Vnode.Writes"/> was <paramref name="ifWrites"/>, nor missed by the transfer
    /// <paramref name="ifWhole"/>, where one is given. False otherwise, and while this node owns the partition or is to own it.
    /// </summary>
    public async ValueTask<bool> TryDropAsync(Vnode vnode, long ifWrites, VnodeTransfer? ifWhole, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var snapshot = state.Current;
        if (snapshot.Document is not { Ring: var ring } || ring.Owner(vnode.Partition) == snapshot.Self || ring.NextOwner(vnode.Partition) == snapshot.Self)
        {
            return false;
        }

        // The partition stays taken until the drop is done, so that a new vnode never opens the store beneath.
        if (!await vnode.TryDropAsync(ifWrites, ifWhole))
        {
            return false;
        }

        Forget(vnode);
        LogDropped(vnode.Partition);
        OpenWaiting();
        return true;
    }

    /// <summary>Waits until a vnode that closed itself is out of the way, so that the partition can be opened anew.</summary>
    internal async ValueTask WhenForgottenAsync(Vnode vnode)
    {
        await vnode.Ended;
        Forget(vnode);
    }

    private void Follow(ClusterSnapshot snapshot)
    {
        SetMember(snapshot);
        _ = OpenOwnedAsync(snapshot);
    }

    /// <summary>What took a lost node's place, in a ring that an older program let become so large, must not stay without a replica.</summary>
    private bool IsRebuiltHere(PartitionId partition) =>
        state.Current is { Document.Ring: var ring } snapshot && partition.Number < ring.Size && ring.Owner(partition) == snapshot.Self && ring.IsRebuilding(partition);

    /// <summary>What a vnode that went leaves room for.</summary>
    private void OpenWaiting()
    {
        lock (gate)
        {
            if (!isFull)
            {
                return;
            }

            isFull = false;
        }

        _ = OpenOwnedAsync(state.Current);
    }

    private void SetMember(ClusterSnapshot snapshot) => fences.SetMember(snapshot.SelfState is not null and not MemberState.Joining);

    private void Forget(Vnode vnode)
    {
        lock (gate)
        {
            if (vnodes.TryGetValue(vnode.Partition, out var known) && known.IsCompletedSuccessfully && known.Result == vnode)
            {
                vnodes.Remove(vnode.Partition);
            }

            open = [.. open.Where(other => other != vnode)];
        }
    }

    private async Task OpenNewAsync(PartitionId partition, TaskCompletionSource<Vnode> opening)
    {
        var isNews = !stores.Damaged.ContainsKey(partition);
        try
        {
            var store = await stores.OpenAsync(partition, CancellationToken.None);
            if (store.ApproximateCount == 0)
            {
                // Dropped, lost or never written: whatever it coordinated before, it does not know any more.
                context!.Actors.Forget(partition);
            }

            var vnode = new Vnode(partition, store, context!);
            lock (gate)
            {
                open = [.. open, vnode];
            }

            opening.SetResult(vnode);
            if (stores.Damaged.ContainsKey(partition))
            {
                CloseDamaged(partition);
            }
        }
        catch (Exception exception) when (exception is StoreRefusedException or StoreDamagedException)
        {
            // No room for a new store now: the next that asks tries again. What is damaged concerns this partition alone, until it is rebuilt.
            lock (gate)
            {
                vnodes.Remove(partition);
            }

            if (exception is StoreDamagedException && isNews)
            {
                TellDamaged(partition, exception.Message);
            }

            opening.SetException(exception);
        }
        catch (Exception exception)
        {
            OnFailed(partition, exception);
            opening.SetException(exception);
        }
    }

    private async Task OpenOwnedAsync(ClusterSnapshot snapshot)
    {
        if (snapshot.Document is not { } document)
        {
            return;
        }

        await DiscardLostAsync(snapshot, document.Ring);
        var owned = Enumerable.Range(0, document.Ring.Size)
            .Select(number => new PartitionId(number))
            .Where(partition => document.Ring.Owner(partition) == snapshot.Self && Find(partition) is null);
        try
        {
            await OpenAllAsync(owned, CancellationToken.None);
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException or InvalidOperationException)
        {
            // Reported by the opening itself, or there is no room for it yet, or the node is stopping.
        }
    }

    /// <summary>
    /// Opens them in order, <see cref="ClusterOptions.MaxConcurrentOpens"/> at a time. The first failure stops it and is thrown when what was begun has
    /// ended: nothing is being opened any more when the caller closes the stores.
    /// </summary>
    private async Task OpenAllAsync(IEnumerable<PartitionId> partitions, CancellationToken cancel)
    {
        var waiting = new Queue<PartitionId>(partitions);
        var opening = new Queue<Task<Vnode>>();
        ExceptionDispatchInfo? failure = null;
        while (opening.Count > 0 || waiting.Count > 0)
        {
            try
            {
                if (waiting.Count > 0 && opening.Count < options.MaxConcurrentOpens)
                {
                    opening.Enqueue(OpenAsync(waiting.Dequeue(), cancel));
                }
                else
                {
                    await opening.Dequeue();
                }
            }
            catch (StoreDamagedException)
            {
                // Reported; the others are as they were.
            }
            catch (Exception exception)
            {
                failure ??= ExceptionDispatchInfo.Capture(exception);
                waiting.Clear();
            }
        }

        failure?.Throw();
    }

    private BucketProps PropsOf(ObjectKey key)
    {
        if (state.Current.Document is not { } document)
        {
            return BucketProps.NewType;
        }

        if (document.Buckets.IsEmpty && key.BucketType == ObjectKey.DefaultType)
        {
            return document.DefaultTypeProps;
        }

        return document.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) ?? BucketProps.NewType;
    }

    private ValueTask<PeerReply> PassOnAsync(NodeId target, PeerRequest request, Deadline deadline)
    {
        var snapshot = state.Current;
        return transport.SendAsync(target, request with { DocumentVersion = snapshot.DocumentVersion }, PeerLane.Request, deadline, CancellationToken.None);
    }

    private (long Total, long Deepest) MailboxDepth()
    {
        var (total, deepest) = (0L, 0L);
        foreach (var vnode in Open)
        {
            total += vnode.Depth;
            deepest = Math.Max(deepest, vnode.Depth);
        }

        return (total, deepest);
    }

    private void OnFailed(PartitionId partition, Exception exception)
    {
        if (exception is StoreDamagedException)
        {
            // The stores have told of it.
            CloseDamaged(partition);
            return;
        }

        LogFailed(partition, exception);
        failed.TrySetResult(exception);
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Critical, Message = "The store of partition {Partition} failed: the node cannot go on")]
    private partial void LogFailed(PartitionId partition, Exception exception);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "Dropped the data of partition {Partition}, which is with its owner")]
    private partial void LogDropped(PartitionId partition);
}
