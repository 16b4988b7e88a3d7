namespace Kv.Storage.Faster;

/// <summary>What a read wants of the record it finds.</summary>
internal readonly record struct ReadMode(bool HeadOnly, long BytesFrom)
{
    /// <summary>The whole value.</summary>
    public static ReadMode Whole => new(false, 0);

    /// <summary>Kind and length, and where a chunked value's chunks are.</summary>
    public static ReadMode Head => new(true, 0);

    /// <summary>The address, and the whole value of a record at <paramref name="address"/> or above.</summary>
    public static ReadMode WholeFrom(long address) => new(false, address);
}
