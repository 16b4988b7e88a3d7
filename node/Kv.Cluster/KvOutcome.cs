using Kv.Core.Causality;
using Kv.Core.Objects;

namespace Kv.Cluster;

/// <summary>How a request ended. Front ends map each case to their wire in one file each.</summary>
public abstract record KvOutcome
{
    private KvOutcome()
    {
    }

    /// <summary>At least one live sibling; tombstones among the siblings are concurrent deletes.</summary>
    public sealed record Found(KvObject Object) : KvOutcome;

    /// <summary>Nothing there. <paramref name="TombstoneContext"/> is the clock of a delete that is still remembered.</summary>
    public sealed record NotFound(VersionVector? TombstoneContext) : KvOutcome;

    /// <summary>The object's clock is the one given with `if_modified`.</summary>
    public sealed record Unchanged : KvOutcome;

    /// <summary>The write met its quorums. <paramref name="Object"/> is there if its body or head was asked for.</summary>
    public sealed record Stored(KvObject? Object) : KvOutcome;

    /// <summary>The tombstone met its quorums.</summary>
    public sealed record Deleted : KvOutcome;

    /// <summary>It did not happen, or (see <see cref="KvError.IsIndeterminate"/>) may have happened in part.</summary>
    public sealed record Failed(KvError Error) : KvOutcome;
}
