using System.Numerics;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>
/// Erlang's order of terms, by which `reduce_sort` sorts and key filters compare: numbers by value whatever their kind, then atoms, what Erlang has as tuples, lists, binaries.
/// </summary>
public sealed class TermOrder : IComparer<Term>
{
    public static TermOrder Instance { get; } = new();

    public int Compare(Term? x, Term? y) => x is null || y is null ? (x is null ? 0 : 1) - (y is null ? 0 : 1) : CompareTerms(x, y);

    /// <summary>Erlang's `=:=`: of one kind, and equal.</summary>
    public static bool AreSame(Term left, Term right) => ReferenceEquals(left, right) || (left, right) switch
    {
        (Term.Integer, Term.Real) or (Term.Real, Term.Integer) => false,
        (Term.List a, Term.List b) => a.Items.AsSpan().SequenceEqual(b.Items.AsSpan()),
        (Term.Struct a, Term.Struct b) => a.Members.AsSpan().SequenceEqual(b.Members.AsSpan(), MemberComparer.Instance),
        (Term.Pair a, Term.Pair b) => a.Name == b.Name && a.Value.Equals(b.Value),
        (Term.Address a, Term.Address b) => a.Key.Equals(b.Key) && Equals(a.KeyData, b.KeyData),
        (Term.Missing a, Term.Missing b) => a.Key.Equals(b.Key) && Equals(a.KeyData, b.KeyData),
        (Term.Found a, Term.Found b) => a.Key.Equals(b.Key) && a.Object.Equals(b.Object),
        _ => left.GetType() == right.GetType() && CompareTerms(left, right) == 0,
    };

    internal static int HashOf(Term term)
    {
        var hash = default(HashCode);
        hash.Add(RankOf(term));
        switch (term)
        {
            case Term.Integer integer:
                hash.Add(integer.Value);
                break;
            case Term.Real real:
                hash.Add(real.Value);
                break;
            case Term.Atom atom:
                hash.Add(atom.Name, StringComparer.Ordinal);
                break;
            case Term.Binary binary:
                hash.AddBytes(binary.Bytes.Span);
                break;
            case Term.List list:
                foreach (var item in list.Items)
                {
                    hash.Add(item);
                }

                break;
            case Term.Struct members:
                foreach (var (name, value) in members.Members)
                {
                    hash.Add(name, StringComparer.Ordinal);
                    hash.Add(value);
                }

                break;
            case Term.Pair pair:
                hash.Add(pair.Name, StringComparer.Ordinal);
                hash.Add(pair.Value);
                break;
            case Term.Address address:
                hash.Add(address.Key);
                hash.Add(address.KeyData);
                break;
            case Term.Missing missing:
                hash.Add(missing.Key);
                hash.Add(missing.KeyData);
                break;
            case Term.Found found:
                hash.Add(found.Key);
                break;
        }

        return hash.ToHashCode();
    }

    private static int CompareTerms(Term left, Term right)
    {
        var byRank = RankOf(left) - RankOf(right);
        return byRank != 0 ? byRank : (left, right) switch
        {
            (Term.Atom a, Term.Atom b) => string.CompareOrdinal(a.Name, b.Name),
            (Term.Binary a, Term.Binary b) => a.Bytes.Span.SequenceCompareTo(b.Bytes.Span),
            (Term.List a, Term.List b) => CompareLists(a.Items.AsSpan(), b.Items.AsSpan(), CompareTerms),
            (Term.Struct a, Term.Struct b) => CompareLists(a.Members.AsSpan(), b.Members.AsSpan(), CompareMembers),
            (Term.Pair a, Term.Pair b) => CompareMembers(new(a.Name, a.Value), new(b.Name, b.Value)),
            (Term.Address a, Term.Address b) => CompareNamed(a.Key, a.KeyData, b.Key, b.KeyData),
            (Term.Missing a, Term.Missing b) => CompareNamed(a.Key, a.KeyData, b.Key, b.KeyData),
            (Term.Found a, Term.Found b) => CompareKeys(a.Key, b.Key),
            _ => CompareNumbers(left, right),
        };
    }

    /// <summary>Where a kind stands; what Erlang has as tuples by their size and first element.</summary>
    private static int RankOf(Term term) => term switch
    {
        Term.Integer or Term.Real => 0,
        Term.Atom => 1,
        Term.Struct => 2,
        Term.Address => 3,
        Term.Pair => 4,
        Term.Missing => 5,
        Term.Found => 6,
        Term.List => 7,
        _ => 8,
    };

    private static int CompareNumbers(Term left, Term right) => (left, right) switch
    {
        (Term.Integer a, Term.Integer b) => a.Value.CompareTo(b.Value),
        (Term.Real a, Term.Real b) => a.Value.CompareTo(b.Value),
        (Term.Integer a, Term.Real b) => CompareMixed(a.Value, b.Value),
        (Term.Real a, Term.Integer b) => -CompareMixed(b.Value, a.Value),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Exactly: a large integer has no double of its own.</summary>
    private static int CompareMixed(BigInteger integer, double real)
    {
        var floor = Math.Floor(real);
        var byFloor = integer.CompareTo(new BigInteger(floor));
        return byFloor == 0 && real > floor ? -1 : byFloor;
    }

    private static int CompareLists<T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right, Func<T, T, int> compare)
    {
        for (var at = 0; at < Math.Min(left.Length, right.Length); at++)
        {
            var order = compare(left[at], right[at]);
            if (order != 0)
            {
                return order;
            }
        }

        return left.Length - right.Length;
    }

    private static int CompareMembers(KeyValuePair<string, Term> left, KeyValuePair<string, Term> right)
    {
        var byName = string.CompareOrdinal(left.Key, right.Key);
        return byName != 0 ? byName : CompareTerms(left.Value, right.Value);
    }

    private static int CompareNamed(ObjectKey leftKey, Term? leftData, ObjectKey rightKey, Term? rightData)
    {
        var byKey = CompareKeys(leftKey, rightKey);
        return byKey != 0 ? byKey : CompareTerms(leftData ?? Term.Undefined, rightData ?? Term.Undefined);
    }

    private static int CompareKeys(ObjectKey left, ObjectKey right)
    {
        var byBucket = new BucketName(left.BucketType, left.Bucket).CompareTo(new BucketName(right.BucketType, right.Bucket));
        return byBucket != 0 ? byBucket : left.Key.Span.SequenceCompareTo(right.Key.Span);
    }

    private sealed class MemberComparer : IEqualityComparer<KeyValuePair<string, Term>>
    {
        public static MemberComparer Instance { get; } = new();

        public bool Equals(KeyValuePair<string, Term> x, KeyValuePair<string, Term> y) => x.Key == y.Key && x.Value.Equals(y.Value);

        public int GetHashCode(KeyValuePair<string, Term> obj) => HashCode.Combine(obj.Key, obj.Value);
    }
}
