using System.Collections.Immutable;
using System.Numerics;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// A counter, alone or in a map: each vnode's sum under its last event. As in Riak's maps (riak_dt_emcntr) an increment that a removal or delete had not seen brings back all
/// that its vnode had counted, not that increment alone. Unbounded.
/// </summary>
public sealed class CounterStore : DotStore
{
    internal static readonly CounterStore None = new([]);

    internal CounterStore(ImmutableArray<DottedEntry<BigInteger>> sums) => Sums = sums;

    public BigInteger Value
    {
        get
        {
            var total = BigInteger.Zero;
            foreach (var (_, sum) in Sums)
            {
                total += sum;
            }

            return total;
        }
    }

    public override bool IsEmpty => Sums.IsEmpty;

    internal ImmutableArray<DottedEntry<BigInteger>> Sums { get; }

    internal CounterStore Add(Dot dot, BigInteger amount)
    {
        foreach (var (held, sum) in Sums)
        {
            amount += held.Actor == dot.Actor ? sum : 0;
        }

        return new CounterStore(SortedJoin.Put(Sums.RemoveAll(entry => entry.Dot.Actor == dot.Actor), new DottedEntry<BigInteger>(dot, amount), Dotted.Order));
    }

    internal override DotStore Join(DotStore other, VersionVector mine, VersionVector theirs) =>
        new CounterStore(Dotted.Join(Sums, ((CounterStore)other).Sums, mine, theirs));

    internal override DotStore Without(VersionVector seen) => new CounterStore(Sums.Without(seen));
}
