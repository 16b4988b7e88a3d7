using Kv.Core.Objects;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>A key that was written, and what is known of its writes.</summary>
internal sealed class TrackedKey(ObjectKey key, BucketPlan type)
{
    public ObjectKey Key { get; } = key;

    public BucketPlan Type { get; } = type;

    public KeyHistory History { get; } = new();

    /// <summary>Deletes without context that have not ended: they may take whatever is begun now.</summary>
    public List<TrackedWrite> OpenDeletes { get; } = [];

    /// <summary>Acknowledged writes and how many primaries confirmed each at least.</summary>
    public List<(string Name, int Pw)> Confirmed { get; } = [];
}
