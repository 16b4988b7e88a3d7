namespace Kv.Simulation.Plans;

/// <summary>What becomes of concurrent writes in a bucket type.</summary>
public enum BucketRule
{
    /// <summary>Both stay, until a writer who saw both replaces them.</summary>
    Siblings,

    /// <summary>The newest stays, under dotted version vectors.</summary>
    Newest,

    /// <summary>The newest stays, without dots: the default type's rule.</summary>
    NewestByClock,

    /// <summary>Riak's last_write_wins: the coordinator does not look.</summary>
    LastWriteWins,

    /// <summary>No coordinator, one value for ever.</summary>
    WriteOnce,

    /// <summary>
    /// Each key is a set, a data type. A write adds its name and removes those that its client saw, so that the members are what the siblings of <see cref="Siblings"/> would be, and all of
    /// that is promised.
    /// </summary>
    Set,
}
