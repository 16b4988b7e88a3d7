using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Simulation.Running;

namespace Kv.Simulation.Checkers;

/// <summary>No dot names two writes: looks at every object that any store is given. Two deletes of a key differ by their times alone.</summary>
public sealed class DotChecker(Journal journal)
{
    private readonly Dictionary<Dot, (ObjectKey Key, string Value, long Microseconds)> named = [];
    private readonly HashSet<Dot> reported = [];

    public void Saw(WriteBatch batch)
    {
        foreach (var entry in batch.Entries)
        {
            if (entry.Value is { } value && ObjectKeyCodec.TryDecode(entry.Key, out var key) && ObjectCodec.TryDecode(value, out var held, out _))
            {
                Look(key, held);
            }
        }
    }

    private void Look(ObjectKey key, KvObject held)
    {
        foreach (var sibling in held.Siblings)
        {
            if (sibling is not { Dot: { } dot } || dot.Actor.Node == NodeId.None)
            {
                continue;
            }

            var use = (key, OutcomeText.ValueOf(sibling), sibling.LastModifiedMicroseconds);
            if (!named.TryAdd(dot, use) && !named[dot].Equals(use) && reported.Add(dot))
            {
                journal.Violation(FormattableString.Invariant(
                    $"the dot {dot} names {named[dot].Value} of {named[dot].Key} at {named[dot].Microseconds} and {use.Item2} of {key} at {use.LastModifiedMicroseconds}"));
            }
        }
    }
}
