using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.Objects;

/// <summary>
/// An object as replicas hold it: all the siblings that are current, under the clock that covers every event they and their
/// ancestors came from. Immutable. Merge, coordinated write and pruning follow Riak's rules (riak_object; reference 3).
/// </summary>
public sealed class KvObject
{
    internal KvObject(VersionVector clock, ImmutableArray<Sibling> siblings)
    {
        Clock = clock;
        Siblings = siblings;
    }

    public VersionVector Clock { get; }

    /// <summary>At least one.</summary>
    public ImmutableArray<Sibling> Siblings { get; }
}
