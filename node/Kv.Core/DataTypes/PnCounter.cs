using System.Collections.Immutable;
using System.Numerics;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>What one vnode has added and taken away in all.</summary>
internal readonly record struct CounterShare(ActorId Actor, BigInteger Added, BigInteger Taken);

/// <summary>
/// A counter: by vnode what it added and what it took away, both of which only grow (Shapiro et al., A comprehensive study of convergent and commutative replicated data types, 2011,
/// 3.1.3). Unbounded.
/// </summary>
public sealed class PnCounter : DataType
{
    internal static readonly PnCounter Zero = new([]);

    internal PnCounter(ImmutableArray<CounterShare> shares) => Shares = shares;

    public override DataTypeKind Kind => DataTypeKind.Counter;

    public BigInteger Value
    {
        get
        {
            var value = BigInteger.Zero;
            foreach (var share in Shares)
            {
                value += share.Added - share.Taken;
            }

            return value;
        }
    }

    internal ImmutableArray<CounterShare> Shares { get; }

    public override DataType Merge(DataType other) => new PnCounter(SortedJoin.Of(
        Shares,
        ((PnCounter)other).Shares,
        Order,
        All,
        All,
        (CounterShare a, CounterShare b, out CounterShare kept) => All(new(a.Actor, BigInteger.Max(a.Added, b.Added), BigInteger.Max(a.Taken, b.Taken)), out kept)));

    private protected override DataType Change(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem)
    {
        problem = null;
        var amount = ((DataTypeOperation.Increment)operation).Amount;
        var own = new CounterShare(at.Dot.Actor, BigInteger.Zero, BigInteger.Zero);
        own = SortedJoin.IndexOf(Shares, own, Order) is >= 0 and var held ? Shares[held] : own;
        return new PnCounter(SortedJoin.Put(Shares, amount.Sign < 0 ? own with { Taken = own.Taken - amount } : own with { Added = own.Added + amount }, Order));
    }

    private static int Order(CounterShare a, CounterShare b) => a.Actor.CompareTo(b.Actor);

    private static bool All(CounterShare share, out CounterShare kept)
    {
        kept = share;
        return true;
    }
}
