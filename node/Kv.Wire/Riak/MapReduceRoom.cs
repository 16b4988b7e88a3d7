namespace Kv.Wire.Riak;

/// <summary>What a MapReduce job has of the node's memory for requests: what its front end parsed, what it holds, and what of its answer waits to be sent. Used by one at a time.</summary>
internal sealed class MapReduceRoom(RequestMemory memory) : IDisposable
{
    /// <summary>Room is taken in pieces of so many bytes.</summary>
    private const long PieceBytes = 256 * 1024;

    private readonly Room parsed = new(memory);
    private readonly Room grown = new(memory, memory.Jobs);
    private long held;
    private long written;

    /// <summary>Room for what JSON of so many fields becomes.</summary>
    public FieldsVerdict TakeFields(long fields) => parsed.TakeFields(fields, requests: 1);

    /// <summary>Room for the job to hold that many bytes in all; false where there is none now.</summary>
    public bool TryHold(long bytes)
    {
        held = Math.Max(held, bytes);
        return TryGrow();
    }

    /// <summary>Room for an answer of that many bytes, which its buffer may have twice.</summary>
    public bool TryWrite(long bytes)
    {
        written = Math.Max(written, 2 * bytes);
        return TryGrow();
    }

    public void Dispose()
    {
        grown.Dispose();
        parsed.Dispose();
    }

    private bool TryGrow() => held + written is var all && (all <= RequestMemory.FreeBytes || grown.TryGrowTo((all + PieceBytes - 1) / PieceBytes * PieceBytes));
}
