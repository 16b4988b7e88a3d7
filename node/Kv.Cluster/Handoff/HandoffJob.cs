using System.Globalization;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Handoff;

/// <summary>A partition's data that is to leave this node, and how far it has come. The scheduler's own, but for the figures, which anyone may read.</summary>
internal sealed class HandoffJob(TransferKind kind, Transfer transfer, long createdAt)
{
    /// <summary>A failed transfer waits for 1, 2, 4, … times the interval, at most this many, halved.</summary>
    private const int LongestBackOff = 16;

    private long objectsSent;

    private long bytesSent;

    // Of the attempt that came furthest since the last that did not fail: what breaks in the middle again and again gets nowhere.
    private long mostObjects;
    private long mostBytes;
    private long mostTotal;
    private bool isAnew;
    private bool isFewer;

    // An attempt may be slower than the one that it repeats; but if it came no further either, what the next repeats is no progress.
    private bool isFurther;
    private bool isBarren;
    private long objectsReturned;
    private long objectsRefused;
    private volatile string firstRefused = "";
    private long objectsTotal;
    private long lastProgress;
    private volatile bool isStopped;

    public TransferKind Kind { get; } = kind;

    /// <summary>What is to move: for an ownership transfer exactly as the ring awaits it, so that what is whole by one plan never completes another's.</summary>
    public Transfer Transfer { get; } = transfer;

    public PartitionId Partition => Transfer.Partition;

    public NodeId Target => Transfer.To;

    /// <summary>The clock's timestamp: the oldest goes first.</summary>
    public long CreatedAt { get; } = createdAt;

    public bool IsRunning { get; set; }

    /// <summary>Nobody waits for it any more: what runs is to end.</summary>
    public bool IsStopped => isStopped;

    /// <summary>Ownership only: all is with the target, writes go to both, and the document has to say so.</summary>
    public VnodeTransfer? Whole { get; set; }

    public int Failures { get; set; }

    /// <summary>The clock's timestamp before which it is not tried again.</summary>
    public long NotBefore { get; set; }

    /// <summary>Empty where the last attempt did not fail.</summary>
    public string LastError { get; set; } = "";

    /// <summary>Of the present attempt, or else the last.</summary>
    public long ObjectsSent => Volatile.Read(ref objectsSent);

    /// <summary>Of those sent, the ones that are here no more.</summary>
    public long ObjectsReturned => Volatile.Read(ref objectsReturned);

    /// <summary>Objects that the target would not take, of the last attempt.</summary>
    public long ObjectsRefused => Volatile.Read(ref objectsRefused);

    /// <summary>Says what the target would not take; null where it took all.</summary>
    public string? RefusedText => ObjectsRefused == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{ObjectsRefused} objects stay here: {firstRefused}");

    /// <summary>When it last came further than ever, repeated in one attempt what one before had sent, or lost an object to its target; 0 before its first attempt.</summary>
    public long LastProgress => Volatile.Read(ref lastProgress);

    public void Stop() => isStopped = true;

    /// <summary>An attempt begins, which is no progress yet but the first time.</summary>
    public void Begin(long total, long now)
    {
        Volatile.Write(ref objectsSent, 0);
        bytesSent = 0;
        Volatile.Write(ref objectsReturned, 0);
        Volatile.Write(ref objectsRefused, 0);
        objectsTotal = total;
        isFurther = false;
        var isFirst = isAnew || LastProgress == 0;
        if (isFirst || isFewer)
        {
            (isAnew, isFewer, isBarren) = (false, false, false);
            Volatile.Write(ref mostObjects, 0);
            Volatile.Write(ref mostBytes, 0);
            Volatile.Write(ref mostTotal, total);
        }

        if (isFirst)
        {
            Volatile.Write(ref lastProgress, now);
        }
    }

    /// <summary>The target was away and is back: what came before counts no more.</summary>
    public void Renew(long now)
    {
        isAnew = true;
        Volatile.Write(ref lastProgress, LastProgress == 0 ? 0 : now);
    }

    public void Sent(int objects, long bytes, long now)
    {
        Volatile.Write(ref objectsSent, objectsSent + objects);
        bytesSent += bytes;
        if (objectsSent > mostObjects)
        {
            Volatile.Write(ref mostObjects, objectsSent);
            Volatile.Write(ref mostBytes, bytesSent);
            Volatile.Write(ref mostTotal, objectsTotal);
            (isFurther, isBarren) = (true, false);
        }

        if (!isBarren)
        {
            Volatile.Write(ref lastProgress, now);
        }
    }

    /// <summary>Objects are here no more: the next attempt has less to send, and is measured by that.</summary>
    public void Returned(int objects, long now)
    {
        Volatile.Write(ref objectsReturned, objectsReturned + objects);
        if (objects > 0)
        {
            isFewer = true;
            Volatile.Write(ref lastProgress, now);
        }
    }

    public void Refused(ReadOnlyMemory<byte> key, string reason)
    {
        if (objectsRefused == 0)
        {
            var name = ObjectKeyCodec.TryDecode(key, out var named) ? $"{named}" : Convert.ToHexString(key.Span);
            firstRefused = $"{name}: {reason}";
        }

        Volatile.Write(ref objectsRefused, objectsRefused + 1);
    }

    /// <summary>An attempt has ended: with a problem, it is tried again later, and later still each time that it fails.</summary>
    public void Conclude(string? problem, bool hasFailed, TimeSpan interval, TimeProvider time)
    {
        IsRunning = false;
        LastError = hasFailed ? problem! : "";
        Failures = hasFailed ? Failures + 1 : 0;
        isAnew |= !hasFailed;
        isBarren = hasFailed && !isFurther;
        var pause = interval * Math.Min(1 << Math.Min(Failures, 10), LongestBackOff) / 2;
        NotBefore = problem is null ? 0 : Deadline.After(time, pause).Timestamp;
    }

    public TransferView View(TimeProvider time)
    {
        var standing = (IsRunning || Whole is not null, LastError) switch
        {
            (true, _) => TransferState.Running,
            (_, "") => TransferState.Waiting,
            _ => TransferState.Failed,
        };
        var since = LastProgress == 0 ? TimeSpan.Zero : time.GetElapsedTime(LastProgress);
        var most = Volatile.Read(ref mostObjects);
        return new TransferView(Kind, standing, Partition, Transfer.From, Target, most, Volatile.Read(ref mostBytes), Math.Max(most, Volatile.Read(ref mostTotal)), since, LastError);
    }
}
