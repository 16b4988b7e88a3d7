namespace Kv.Wire;

/// <summary>What a client's request has taken of the node's memory, in the pieces in which it goes back. Used by one at a time.</summary>
/// <param name="memory">The node's.</param>
/// <param name="connection">What the client's connection may have of it at most, where it carries many requests at once; of a MapReduce job what all of them may have.</param>
internal sealed class Room(RequestMemory memory, MemoryShare? connection = null) : IDisposable
{
    private readonly List<(MemoryShare Share, long Bytes)> pieces = new(2);
    private long taken;

    /// <summary>Room for a message of that length; waits in turn. False where there was none in time.</summary>
    public ValueTask<bool> TakeMessageAsync(long messageBytes, CancellationToken cancel) => TakeAsync(messageBytes * RequestMemory.CopiesOfWrite, cancel);

    /// <summary>
    /// Room for what is parsed of the message that room was taken for, beyond what so many ordinary requests have. It is there before the copies that are made later, so only
    /// what is more than those is taken; and that of the node's alone, since a message may have taken all of a connection's part. Without waiting, and past those who wait: who holds some
    /// already and waits for more keeps it from others who do the same.
    /// </summary>
    public FieldsVerdict TakeFields(long fields, long requests)
    {
        var parsed = Math.Max(0, fields - (requests * RequestMemory.FreeFields)) * RequestMemory.FieldBytes;
        var needed = (taken / RequestMemory.CopiesOfWrite) + parsed;
        return needed > memory.MaxObjectBytes * RequestMemory.CopiesOfWrite ? FieldsVerdict.TooMany
            : needed <= taken || (memory.Clients.TryTakeMore(needed - taken) && Keep(memory.Clients, needed - taken)) ? FieldsVerdict.Taken
            : FieldsVerdict.NoRoom;
    }

    public async ValueTask<bool> TakeAsync(long bytes, CancellationToken cancel)
    {
        if (connection is not null && !await connection.TakeAsync(bytes, cancel))
        {
            return false;
        }

        if (await TakeAsync(memory.Clients, bytes, cancel))
        {
            if (connection is not null)
            {
                pieces.Add((connection, bytes));
            }

            return true;
        }

        connection?.Release(bytes);
        return false;
    }

    /// <summary>Without waiting: who has some already would keep others from theirs.</summary>
    public bool TryGrowTo(long bytes)
    {
        var more = bytes - taken;
        if (more <= 0)
        {
            return true;
        }

        if (connection?.TryTake(more) == false)
        {
            return false;
        }

        if (!memory.Clients.TryTake(more))
        {
            connection?.Release(more);
            return false;
        }

        if (connection is not null)
        {
            pieces.Add((connection, more));
        }

        return Keep(memory.Clients, more);
    }

    /// <summary>Gives all of it back.</summary>
    public void Dispose()
    {
        foreach (var (share, bytes) in pieces)
        {
            share.Release(bytes);
        }

        pieces.Clear();
        taken = 0;
    }

    private async ValueTask<bool> TakeAsync(MemoryShare share, long bytes, CancellationToken cancel) => await share.TakeAsync(bytes, cancel) && Keep(share, bytes);

    private bool Keep(MemoryShare share, long bytes)
    {
        pieces.Add((share, bytes));
        taken += bytes;
        return true;
    }
}
