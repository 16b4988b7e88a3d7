using System.Globalization;

namespace Kv.Core.Security;

/// <summary>Who holds a grant: everybody who is authenticated, a user, or whoever is in a group. A user and a group may have the same name.</summary>
public sealed record GrantHolder(GrantHolderKind Kind, string Name) : IComparable<GrantHolder>
{
    public static GrantHolder All { get; } = new(GrantHolderKind.All, SecurityNames.All);

    public static GrantHolder User(string name) => new(GrantHolderKind.User, name);

    public static GrantHolder Group(string name) => new(GrantHolderKind.Group, name);

    public int CompareTo(GrantHolder? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byKind = Kind.CompareTo(other.Kind);
        return byKind != 0 ? byKind : string.CompareOrdinal(Name, other.Name);
    }

    /// <summary>As Riak writes it where a bare name would not do: `user/ada`, `group/staff`, `all`.</summary>
    public override string ToString() => Kind == GrantHolderKind.All ? Name : string.Create(CultureInfo.InvariantCulture, $"{(Kind == GrantHolderKind.User ? "user" : "group")}/{Name}");

    public static bool operator <(GrantHolder? left, GrantHolder? right) => Comparer<GrantHolder?>.Default.Compare(left, right) < 0;

    public static bool operator <=(GrantHolder? left, GrantHolder? right) => Comparer<GrantHolder?>.Default.Compare(left, right) <= 0;

    public static bool operator >(GrantHolder? left, GrantHolder? right) => Comparer<GrantHolder?>.Default.Compare(left, right) > 0;

    public static bool operator >=(GrantHolder? left, GrantHolder? right) => Comparer<GrantHolder?>.Default.Compare(left, right) >= 0;
}
