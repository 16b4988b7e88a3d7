namespace Kv.Core.Security;

/// <summary>Who may do something, and on what. Sorts by holder, then by scope.</summary>
public sealed record GrantKey(GrantHolder Holder, GrantScope Scope) : IComparable<GrantKey>
{
    public int CompareTo(GrantKey? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byHolder = Holder.CompareTo(other.Holder);
        return byHolder != 0 ? byHolder : Scope.CompareTo(other.Scope);
    }

    public static bool operator <(GrantKey? left, GrantKey? right) => Comparer<GrantKey?>.Default.Compare(left, right) < 0;

    public static bool operator <=(GrantKey? left, GrantKey? right) => Comparer<GrantKey?>.Default.Compare(left, right) <= 0;

    public static bool operator >(GrantKey? left, GrantKey? right) => Comparer<GrantKey?>.Default.Compare(left, right) > 0;

    public static bool operator >=(GrantKey? left, GrantKey? right) => Comparer<GrantKey?>.Default.Compare(left, right) >= 0;
}
