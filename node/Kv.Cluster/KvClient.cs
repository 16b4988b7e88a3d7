using System.Runtime.CompilerServices;
using Kv.Cluster.Async;
using Kv.Cluster.Coordination;
using Kv.Cluster.Hooks;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.Cluster;

/// <summary>
/// The one door to the data: every front end turns what it reads into a <see cref="KvRequest"/> and what comes back into its own tongue. Safe to
/// call from any thread. Nothing is thrown for what a request or a cluster can do wrong; see <see cref="KvOutcome.Failed"/>.
/// </summary>
public sealed partial class KvClient : IDisposable
{
    private readonly CoordinatorContext context;
    private readonly Coordinators coordinators;
    private int active;
    private int coordinating;
    private int listings;
    private volatile bool isStopping;
    private volatile bool isDraining;

    public KvClient(ClusterState state, VnodeGate gate, IPeerTransport transport, TimeProvider time, ClusterOptions options, KvStatistics statistics)
    {
        context = new CoordinatorContext(state, gate, transport, time, options, statistics);
        coordinators = new Coordinators(context);
    }

    /// <summary>By which objects with an end are judged; this node's own clock where nobody sets it.</summary>
    internal MemberClocks Clocks
    {
        get => context.Clocks;
        init => context.Clocks = value;
    }

    /// <summary>None where nobody sets them.</summary>
    internal ICommitHooks Hooks
    {
        get => context.Hooks;
        init => context.Hooks = value;
    }

    /// <summary>For which a request runs that names no timeout of its own.</summary>
    public TimeSpan RequestTimeout => context.Options.RequestTimeout;

    /// <summary>Requests under way.</summary>
    public int Active => Volatile.Read(ref active);

    /// <summary>Those of them that clients of this node sent, and no other node handed on.</summary>
    public int Coordinating => Volatile.Read(ref coordinating);

    /// <summary>Listings that this node reads for its clients.</summary>
    internal int Listings => Volatile.Read(ref listings);

    /// <summary>Read repairs under way.</summary>
    internal int Repairs => context.Repairs;

    /// <summary>Tombstones that wait to be removed.</summary>
    internal int WaitingReaps => coordinators.WaitingReaps;

    /// <summary>Whether clients are sent elsewhere, since the node is to be stopped. What other nodes hand on is still carried out.</summary>
    public bool IsDraining
    {
        get => isDraining;
        internal set => isDraining = value;
    }

    /// <summary>
    /// Carries out one request. Always ends by the request's deadline, give or take a tick. Cancellation ends the wait for a read. A write that was begun goes on, and the caller's wait with it: what
    /// it holds of memory is the caller's to count.
    /// </summary>
    public async ValueTask<KvOutcome> ExecuteAsync(KvRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var timeout = request.Timeout is { } given && given > TimeSpan.Zero ? given : context.Options.RequestTimeout;
        var execution = RunAsync(request, Deadline.After(context.Time, timeout));
        return request is KvRequest.Get && cancel.CanBeCanceled ? await execution.WaitAsync(cancel) : await execution;
    }

    /// <summary>A request that another node handed on: it is not handed on again, and its deadline is the one it came with.</summary>
    internal Task<KvOutcome> ExecuteForwardedAsync(KvRequest request, Deadline deadline) => RunAsync(request with { IsForwarded = true }, deadline);

    /// <summary>See <see cref="Coordinators.RepairAsync"/>.</summary>
    internal Task<ReadRepairPlan?> RepairAsync(ObjectKey key, Deadline deadline) => coordinators.RepairAsync(key, deadline);

    /// <summary>See <see cref="Coordinators.ExpireAsync"/>.</summary>
    internal Task ExpireAsync(ObjectKey key, Deadline deadline) => coordinators.ExpireAsync(key, deadline);

    /// <summary>See <see cref="Coordinators.Reap"/>.</summary>
    internal bool Reap(ObjectKey key) => coordinators.Reap(key);

    /// <summary>
    /// The keys of a bucket that hold a live value, in pages, in no order; each once, but beyond <see cref="ClusterOptions.ListMaxRemembered"/> keys one that is
    /// written meanwhile may come twice. Reads one replica of each key, as Riak does: what the last moment wrote may be missing.
    /// </summary>
    /// <exception cref="ListingFailedException">From the enumerator, when the listing cannot be complete.</exception>
    public IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> ListKeysAsync(BucketName bucket, TimeSpan? timeout, CancellationToken cancel) =>
        ListAsync(KvOperation.ListKeys, bucket.BucketType, bucket, timeout, cancel);

    /// <summary>The buckets of a type that hold a live value, in pages, each once.</summary>
    /// <exception cref="ListingFailedException">From the enumerator, when the listing cannot be complete.</exception>
    public IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> ListBucketsAsync(string bucketType, TimeSpan? timeout, CancellationToken cancel) =>
        ListAsync(KvOperation.ListBuckets, bucketType, null, timeout, cancel);

    /// <summary>Refuses new requests from now on; <see cref="Active"/> tells when those under way have ended.</summary>
    internal void Stop() => isStopping = true;

    public void Dispose() => context.Dispose();

    // hot
    private async Task<KvOutcome> RunAsync(KvRequest request, Deadline deadline)
    {
        var operation = request switch
        {
            KvRequest.Get => KvOperation.Get,
            KvRequest.Put => KvOperation.Put,
            _ => KvOperation.Delete,
        };
        var began = context.Time.GetTimestamp();
        var own = request.IsForwarded ? 0 : 1;
        Interlocked.Add(ref coordinating, own);
        context.Statistics.RequestBegan();
        KvError? error = null;
        var isTaken = Places.TryTake(ref active, context.Options.MaxConcurrentRequests);
        try
        {
            var outcome = !isTaken
                ? Overloaded()
                : Admit(request.Key, request.IsForwarded, out var props) is { } refusal || (refusal = Check(request, props!)) is not null
                    ? new KvOutcome.Failed(refusal)
                    : await coordinators.ExecuteAsync(request, props!, deadline);
            error = (outcome as KvOutcome.Failed)?.Error;
            return outcome;
        }
        finally
        {
            if (isTaken)
            {
                Interlocked.Decrement(ref active);
            }

            Interlocked.Add(ref coordinating, -own);
            context.Statistics.RequestEnded(operation, request.Key.BucketType, error, context.Time.GetElapsedTime(began));
        }
    }

    private KvOutcome.Failed Overloaded()
    {
        context.Statistics.RequestOverloaded();
        return new KvOutcome.Failed(new KvError.Overload(Indeterminate: false));
    }

    private async IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> ListAsync(
        KvOperation operation, string bucketType, BucketName? bucket, TimeSpan? timeout, [EnumeratorCancellation] CancellationToken cancel)
    {
        var began = context.Time.GetTimestamp();
        var isTaken = Places.TryTake(ref listings, context.Options.MaxListings);
        context.Statistics.RequestBegan();
        KvError? error = null;
        var hasBegun = false;
        try
        {
            error = AdmitListing(bucketType, bucket, out var props, out var nVal, out var ringSize) ?? (isTaken ? null : Overloaded().Error);
            if (error is not null)
            {
                throw new ListingFailedException(error);
            }

            var allowed = timeout is { } given && given > TimeSpan.Zero ? given : context.Options.RequestTimeout * context.Options.ListTimeoutFactor;
            allowed = allowed < context.Options.MaxQueryTimeout ? allowed : context.Options.MaxQueryTimeout;
            var deadline = Deadline.After(context.Time, allowed);
            hasBegun = true;
            var listing = new ListCoordinator(context, bucketType, bucket?.Bucket, props!, nVal, ringSize, deadline, () => Interlocked.Decrement(ref listings));
            var pages = listing.Run();
            try
            {
                while (await WaitAsync(pages, failure => error = failure, cancel))
                {
                    cancel.ThrowIfCancellationRequested();
                    while (pages.TryRead(out var page))
                    {
                        yield return page;
                    }
                }

                cancel.ThrowIfCancellationRequested();
            }
            finally
            {
                listing.Stop();
            }
        }
        finally
        {
            if (isTaken && !hasBegun)
            {
                Interlocked.Decrement(ref listings);
            }

            context.Statistics.RequestEnded(operation, bucketType, error, context.Time.GetElapsedTime(began));
        }
    }

    private static async ValueTask<bool> WaitAsync(System.Threading.Channels.ChannelReader<IReadOnlyList<ReadOnlyMemory<byte>>> pages, Action<KvError> failed, CancellationToken cancel)
    {
        try
        {
            return await pages.WaitToReadAsync(cancel);
        }
        catch (ListingFailedException failure)
        {
            failed(failure.Error);
            throw;
        }
    }

    private KvError? Admit(ObjectKey key, bool isForwarded, out BucketProps? props)
    {
        props = null;
        if (!key.IsValid(out var reason))
        {
            return new KvError.InvalidRequest(reason);
        }

        var snapshot = context.State.Current;
        if (WhyNotReady(snapshot, isForwarded) is { } why)
        {
            return new KvError.NotReady(why);
        }

        var document = snapshot.Document!;

        props = document.Buckets.IsEmpty && key.BucketType == ObjectKey.DefaultType
            ? document.DefaultTypeProps
            : document.EffectiveProps(new BucketName(key.BucketType, key.Bucket));
        return props is null ? new KvError.UnknownBucketType(key.BucketType) : null;
    }

    /// <summary>
    /// A node that owns nothing any more, or nothing yet, takes no requests: as the last resort it would keep writes itself, and it is about to be forgotten, or its
    /// join may be taken back.
    /// </summary>
    private string? WhyNotReady(ClusterSnapshot snapshot, bool isForwarded) => snapshot switch
    {
        _ when isStopping => "the node is stopping",
        _ when isDraining && !isForwarded => "the node is draining: ask another",
        { RemovedBy: { } by } => $"the node was removed from cluster {by.ClusterName}",
        { Document: null } => "the node is in no cluster yet",
        { SelfState: MemberState.Joining } => "the node's join is staged and not committed",
        { SelfState: MemberState.Exiting } => "the node has left its cluster",
        _ => null,
    };

    private KvError? Check(KvRequest request, BucketProps props)
    {
        if (request is not KvRequest.Put put)
        {
            return null;
        }

        if (PutLimits.Check(put, props, context.Options) is { } tooMuch)
        {
            return tooMuch;
        }

        if (put.Update is not null && (put.AsIs || put.IfNoneMatch || put.IfNotModified))
        {
            return new KvError.InvalidRequest("an update of a data type takes no conditions and no `asis`");
        }

        if (put.IfNotModified && props.WriteOnce)
        {
            return new KvError.InvalidRequest("objects of a write-once bucket type have no history that could tell whether one was modified: if_none_match tells whether there is one");
        }

        return put.IfNoneMatch && put.IfNotModified ? new KvError.InvalidRequest("if_none_match and if_not_modified exclude each other") : null;
    }

    private KvError? AdmitListing(string bucketType, BucketName? bucket, out BucketProps? props, out int nVal, out int ringSize)
    {
        nVal = ringSize = 0;
        var name = bucket ?? new BucketName(bucketType, "any");
        if (Admit(new ObjectKey(bucketType, name.Bucket, "any"u8.ToArray()), isForwarded: false, out props) is { } refusal)
        {
            return refusal;
        }

        if (context.State.Current.Document is not { } document)
        {
            return new KvError.NotReady("the node is in no cluster any more");
        }

        ringSize = document.Ring.Size;
        nVal = bucket is null ? LeastNVal(document, bucketType, props!) : props!.NVal;
        return null;
    }

    /// <summary>Buckets may have fewer replicas than their type; a listing of all of them has to find those too.</summary>
    private static int LeastNVal(ClusterDocument document, string bucketType, BucketProps typeProps)
    {
        var least = typeProps.NVal;
        foreach (var (bucket, own) in document.Buckets)
        {
            least = bucket.BucketType == bucketType ? Math.Min(least, own.NVal) : least;
        }

        return least;
    }
}
