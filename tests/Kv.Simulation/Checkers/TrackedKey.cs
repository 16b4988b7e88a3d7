using Kv.Core.Objects;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>A key that was written, and what is known of its writes.</summary>
internal sealed class TrackedKey
{
    /// <summary>Where <paramref name="clocksAgree"/>, time goes the same way at all nodes, and a bucket with dots does not bring back what was replaced.</summary>
    public TrackedKey(ObjectKey key, BucketPlan type, bool clocksAgree)
    {
        (Key, Type) = (key, type);
        Replacements = type.KeepsSiblings ? null : new Replacements(type.Rule);
        History = new KeyHistory
        {
            MayReplaceUnseen = Replacements is { } replacements ? replacements.May : null,
            ReplacedMayReturn = !type.KeepsSiblings && !(type.Rule == BucketRule.Newest && clocksAgree),
        };
    }

    public ObjectKey Key { get; }

    public BucketPlan Type { get; }

    public KeyHistory History { get; }

    /// <summary>For a bucket that keeps one value.</summary>
    public Replacements? Replacements { get; }

    /// <summary>Deletes without context that have not ended: they may take whatever is begun now.</summary>
    public List<TrackedWrite> OpenDeletes { get; } = [];

    /// <summary>What the last read at rest showed.</summary>
    public IReadOnlySet<string> LastShown { get; set; } = new HashSet<string>();

    /// <summary>Whether the last read at rest found a set without members: what is left of a delete where a removal still waits (data-types.md).</summary>
    public bool IsEmptySet { get; set; }

    /// <summary>Acknowledged writes and how many primaries confirmed each at least.</summary>
    public List<(string Name, int Pw)> Confirmed { get; } = [];
}
