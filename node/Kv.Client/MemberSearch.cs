using System.Collections.Immutable;
using System.Text;

namespace Kv.Client;

/// <summary>Whether a set's members, which come in the order of their bytes, have one given as text.</summary>
internal static class MemberSearch
{
    public static bool Has(this ImmutableArray<ReadOnlyMemory<byte>> sorted, string member)
    {
        var bytes = Encoding.UTF8.GetBytes(member);
        return sorted.BinarySearch(bytes, Comparer<ReadOnlyMemory<byte>>.Create((a, b) => a.Span.SequenceCompareTo(b.Span))) >= 0;
    }
}
