using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>A proposer's turn: higher wins; two proposers never share one, since the node is part of it.</summary>
public readonly record struct Ballot(long Round, NodeId Node) : IComparable<Ballot>
{
    public static Ballot Zero => default;

    public int CompareTo(Ballot other)
    {
        var byRound = Round.CompareTo(other.Round);
        return byRound != 0 ? byRound : Node.CompareTo(other.Node);
    }

    public static bool operator <(Ballot left, Ballot right) => left.CompareTo(right) < 0;

    public static bool operator <=(Ballot left, Ballot right) => left.CompareTo(right) <= 0;

    public static bool operator >(Ballot left, Ballot right) => left.CompareTo(right) > 0;

    public static bool operator >=(Ballot left, Ballot right) => left.CompareTo(right) >= 0;
}
