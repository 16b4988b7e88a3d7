namespace Kv.Chaos.Load;

/// <summary>What has to hold for a put to be done. Each is a read before the write and no lock: two at once may both be done.</summary>
internal enum PutCondition
{
    None,

    /// <summary>There is no value.</summary>
    NothingThere,

    /// <summary>The object still has the context that goes with the put.</summary>
    NotModified,
}
