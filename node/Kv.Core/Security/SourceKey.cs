namespace Kv.Core.Security;

/// <summary>
/// Whom a source is for and where from: there is one source for each. Sorts as sources are tried: those of single users before those of <see cref="SecurityNames.All"/>, then the
/// longer prefix first (riak_core_security's sort_sources).
/// </summary>
public sealed record SourceKey(string User, CidrBlock Network) : IComparable<SourceKey>
{
    public bool IsForAll => User == SecurityNames.All;

    public int CompareTo(SourceKey? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byRank = IsForAll.CompareTo(other.IsForAll);
        var byNetwork = byRank != 0 ? byRank : Network.CompareTo(other.Network);
        return byNetwork != 0 ? byNetwork : string.CompareOrdinal(User, other.User);
    }

    public static bool operator <(SourceKey? left, SourceKey? right) => Comparer<SourceKey?>.Default.Compare(left, right) < 0;

    public static bool operator <=(SourceKey? left, SourceKey? right) => Comparer<SourceKey?>.Default.Compare(left, right) <= 0;

    public static bool operator >(SourceKey? left, SourceKey? right) => Comparer<SourceKey?>.Default.Compare(left, right) > 0;

    public static bool operator >=(SourceKey? left, SourceKey? right) => Comparer<SourceKey?>.Default.Compare(left, right) >= 0;
}
