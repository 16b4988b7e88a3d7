namespace Kv.Wire.Peer;

/// <summary>
/// Deadlines of many requests, kept to a tick: a ring of lists, each request in the list of its last tick, taken out in constant time when it is
/// answered. A request whose deadline is more than a turn away is passed over until its turn. Not safe for threads: its link's gate guards it.
/// </summary>
internal sealed class DeadlineWheel(long startTick)
{
    private const int Slots = 256;

    private readonly PendingRequest?[] heads = new PendingRequest?[Slots];
    private long tick = startTick;

    public int Count { get; private set; }

    public void Add(PendingRequest request, long expiresAtTick)
    {
        request.ExpiresAtTick = Math.Max(expiresAtTick, tick + 1);
        ref var head = ref heads[request.ExpiresAtTick % Slots];
        request.Previous = null;
        request.Next = head;
        if (head is not null)
        {
            head.Previous = request;
        }

        head = request;
        Count++;
    }

    public void Remove(PendingRequest request)
    {
        if (request.Previous is not null)
        {
            request.Previous.Next = request.Next;
        }
        else
        {
            heads[request.ExpiresAtTick % Slots] = request.Next;
        }

        if (request.Next is not null)
        {
            request.Next.Previous = request.Previous;
        }

        request.Previous = request.Next = null;
        Count--;
    }

    /// <summary>Moves to <paramref name="now"/> and adds the requests that have expired by then; they stay until removed.</summary>
    public void CollectExpired(long now, List<PendingRequest> expired)
    {
        if (Count == 0)
        {
            tick = Math.Max(tick, now);
            return;
        }

        // After a long pause each slot is looked at once.
        for (var t = Math.Max(tick + 1, now - Slots + 1); t <= now; t++)
        {
            for (var request = heads[t % Slots]; request is not null; request = request.Next)
            {
                if (request.ExpiresAtTick <= now)
                {
                    expired.Add(request);
                }
            }
        }

        tick = Math.Max(tick, now);
    }
}
