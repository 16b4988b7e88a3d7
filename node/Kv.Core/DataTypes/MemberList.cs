using System.Collections.Immutable;

namespace Kv.Core.DataTypes;

/// <summary>Members of sets as lists of bytes.</summary>
internal static class MemberList
{
    public static int Order(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => a.Span.SequenceCompareTo(b.Span);

    /// <summary>By their bytes, each once.</summary>
    public static ImmutableArray<ReadOnlyMemory<byte>> Sorted(ImmutableArray<ReadOnlyMemory<byte>> members)
    {
        var sorted = members.Sort(Order);
        var distinct = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(sorted.Length);
        foreach (var member in sorted)
        {
            if (distinct.Count == 0 || Order(distinct[^1], member) != 0)
            {
                distinct.Add(member);
            }
        }

        return distinct.DrainToImmutable();
    }
}
