using System.Runtime.CompilerServices;

namespace Kv.Wire;

/// <summary>
/// What requests under way may hold of a node's memory. It has four shares, so that nothing waits for room that only its own end would free: what clients send waits
/// for replicas, so what goes to them and what comes from them has room of its own; and so have values on their way out. The largest object follows from it.
/// Safe from any thread.
/// </summary>
public sealed class RequestMemory
{
    /// <summary>A client's value is held as it came, as it is stored, and in the log's buffer.</summary>
    public const int CopiesOfWrite = 3;

    /// <summary>A peer's: as it came, and in the log's buffer.</summary>
    public const int CopiesOfReplica = 2;

    /// <summary>Messages between nodes of no more than this are bounded by their number and not counted: a node under load still agrees with its peers, and is heard.</summary>
    public const int FreeBytes = 1024;

    /// <summary>What a field of a client's message, or a token of its JSON, takes once it is parsed, beside its bytes.</summary>
    public const int FieldBytes = 128;

    /// <summary>Fields of a request that are bounded by the number of requests and not counted: an ordinary one has no more.</summary>
    public const int FreeFields = 32;

    // Two replicas at once.
    private const int CopiesOfSend = 2;
    private const int CopiesOfAnswer = 2;
    private const int AllCopies = CopiesOfWrite + CopiesOfReplica + CopiesOfSend + CopiesOfAnswer;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // Between two collections that were wanted here: so many times as long as the first took, and this at least.
    private const int CollectPause = 10;
    private static readonly TimeSpan CollectInterval = TimeSpan.FromMilliseconds(50);

    private readonly ConditionalWeakTable<byte[], Holding> holdings = [];
    private readonly ConditionalWeakTable<object, MemoryShare> connections = [];
    private readonly TimeProvider time;
    private readonly Action collect;
    private readonly Lock collecting = new();

    // Guarded by the lock above.
    private long collectedAt;
    private TimeSpan pause = CollectInterval;

    /// <param name="bytes">All shares together.</param>
    public RequestMemory(long bytes, TimeProvider time)
        : this(bytes, time, Collect)
    {
    }

    /// <summary>With what finds what is not held any more.</summary>
    internal RequestMemory(long bytes, TimeProvider time, Action collect)
    {
        (this.time, this.collect) = (time, collect);
        Bytes = bytes;
        collectedAt = time.GetTimestamp();
        (Clients, Replicas) = (ShareOf(CopiesOfWrite), ShareOf(CopiesOfReplica));
        (Sends, Answers) = (ShareOf(CopiesOfSend), ShareOf(CopiesOfAnswer));
        Told = new MemoryShare(Clients.Bytes / 16, smallBytes: 0, LongestWait, time);
        Jobs = new MemoryShare(Clients.Bytes / 2, smallBytes: 0, LongestWait, time);
    }

    /// <summary>Without a bound, for tests of other things.</summary>
    public static RequestMemory Unbounded() => new(long.MaxValue / 2, TimeProvider.System);

    public long Bytes { get; }

    /// <summary>The largest object that can be carried through all its steps.</summary>
    public long MaxObjectBytes => (Bytes - (4 * SmallReserveBytes)) / AllCopies;

    /// <summary>Of requests as clients send them, until they are answered; each times <see cref="CopiesOfWrite"/>.</summary>
    public MemoryShare Clients { get; }

    /// <summary>
    /// What one connection that carries many requests at once may have of <see cref="Clients"/>: half, so that one client does not keep out the others. Taken beside the
    /// node's, and before it.
    /// </summary>
    // hot
    public MemoryShare ClientsBy(object connection) => connections.TryGetValue(connection, out var share)
        ? share
        : connections.GetValue(connection, _ => new MemoryShare(Clients.Bytes / 2, SmallReserveBytes / 2, LongestWait, time));

    /// <summary>What all MapReduce jobs together may have of <see cref="Clients"/> for what they hold and answer, for up to an hour: half. Taken beside the node's, and before it.</summary>
    public MemoryShare Jobs { get; }

    /// <summary>What writes that postcommit hooks are still to be told of may have of <see cref="Clients"/>: a sixteenth. Taken beside the node's, and before it.</summary>
    public MemoryShare Told { get; }

    /// <summary>Of requests as peers send them, until they are answered; each times <see cref="CopiesOfReplica"/>.</summary>
    public MemoryShare Replicas { get; }

    /// <summary>Of requests to peers, until they are answered or given up.</summary>
    public MemoryShare Sends { get; }

    /// <summary>Of long values that are read here or come from peers, until the collector has them back: who holds an answer is many.</summary>
    public MemoryShare Answers { get; }

    /// <summary>
    /// Room for a long value on its way out; null where there is none now. It counts against <see cref="Answers"/> until it is garbage and collected, which is seen to
    /// when there is no room.
    /// </summary>
    public byte[]? TryAllocateAnswer(int length)
    {
        if (length <= MemoryShare.SmallBytes)
        {
            return new byte[length];
        }

        if (!Answers.TryTake(length) && !(TryCollect() && Answers.TryTake(length)))
        {
            return null;
        }

        try
        {
            var room = new byte[length];
            holdings.Add(room, new Holding(Answers, length));
            return room;
        }
        catch (OutOfMemoryException)
        {
            Answers.Release(length);
            return null;
        }
    }

    private long SmallReserveBytes => Math.Min(2 * 1024 * 1024, Bytes / (4 * AllCopies));

    private MemoryShare ShareOf(int copies) => new((MaxObjectBytes * copies) + SmallReserveBytes, SmallReserveBytes, LongestWait, time);

    /// <summary>Lets the collector find what is not held any more; false where it just did, or does now.</summary>
    private bool TryCollect()
    {
        if (!collecting.TryEnter())
        {
            return false;
        }

        try
        {
            var begun = time.GetTimestamp();
            if (time.GetElapsedTime(collectedAt, begun) < pause)
            {
                return false;
            }

            collect();
            collectedAt = time.GetTimestamp();
            pause = TimeSpan.FromTicks(Math.Max(CollectInterval.Ticks, CollectPause * time.GetElapsedTime(begun, collectedAt).Ticks));
            return true;
        }
        finally
        {
            collecting.Exit();
        }
    }

    private static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Lives as long as the buffer that it counts.</summary>
    private sealed class Holding(MemoryShare share, int bytes)
    {
        ~Holding() => share.Release(bytes);
    }
}
