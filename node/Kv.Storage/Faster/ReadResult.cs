namespace Kv.Storage.Faster;

/// <summary>What a read found: a copy, since the record is FASTER's.</summary>
internal struct ReadResult
{
    public bool Found;

    /// <summary>The value as stored (see <see cref="StoreValue"/>): whole, or its beginning, or null where the mode asked for the address alone.</summary>
    public byte[]? Value;

    /// <summary>Length of the value as stored.</summary>
    public int Length;

    /// <summary>Where the record lies in the log.</summary>
    public long Address;
}
