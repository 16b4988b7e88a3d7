using System.Collections.Immutable;

namespace Kv.Core.Objects;

/// <summary>
/// Two total orders of siblings that every node agrees on, because they depend on nothing but what was stored. A head and its whole sibling compare equal
/// where their values would have decided.
/// </summary>
public static class SiblingOrder
{
    /// <summary>
    /// Older before newer: by time; at the same time a delete before a value (so that the value survives); then by the bytes of value, tag and metadata
    /// (reference 2.3: the vnode's choice and the reader's must agree).
    /// </summary>
    public static int ByAge(Sibling a, Sibling b)
    {
        var byTime = a.LastModifiedMicroseconds.CompareTo(b.LastModifiedMicroseconds);
        if (byTime != 0)
        {
            return byTime;
        }

        if (a.IsTombstone != b.IsTombstone)
        {
            return a.IsTombstone ? -1 : 1;
        }

        // A head has no bytes to compare, so a tag, which is drawn for each write, comes before them.
        var byTag = string.CompareOrdinal(a.VTag, b.VTag);
        if (byTag != 0)
        {
            return byTag;
        }

        var byContent = ByContent(a, b);
        return byContent != 0 ? byContent : ByDot(a, b);
    }

    /// <summary>The order in which an object holds its siblings: those without a dot first, then by dot, then by age.</summary>
    public static int Canonical(Sibling a, Sibling b)
    {
        var byDot = ByDot(a, b);
        return byDot != 0 ? byDot : ByAge(a, b);
    }

    private static int ByDot(Sibling a, Sibling b)
    {
        if (a.Dot is not { } dot || b.Dot is not { } other)
        {
            return (a.Dot is null ? 0 : 1) - (b.Dot is null ? 0 : 1);
        }

        var byActor = dot.Actor.CompareTo(other.Actor);
        return byActor != 0 ? byActor : dot.Counter.CompareTo(other.Counter);
    }

    private static int ByContent(Sibling a, Sibling b)
    {
        var bySize = a.ValueBytes.CompareTo(b.ValueBytes);
        if (bySize != 0)
        {
            return bySize;
        }

        var byValue = a.IsHead || b.IsHead ? 0 : a.Value.Span.SequenceCompareTo(b.Value.Span);
        return byValue != 0 ? byValue : ByMetadata(a.Metadata, b.Metadata);
    }

    private static int ByMetadata(ObjectMetadata a, ObjectMetadata b)
    {
        if (ReferenceEquals(a, b))
        {
            return 0;
        }

        var order = string.CompareOrdinal(a.ContentType, b.ContentType);
        order = order != 0 ? order : string.CompareOrdinal(a.Charset, b.Charset);
        order = order != 0 ? order : string.CompareOrdinal(a.ContentEncoding, b.ContentEncoding);
        order = order != 0 ? order : ByLinks(a.Links, b.Links);
        order = order != 0 ? order : ByPairs(a.UserMetadata, b.UserMetadata);
        return order != 0 ? order : ByPairs(a.Indexes, b.Indexes);
    }

    private static int ByLinks(ImmutableArray<Link> a, ImmutableArray<Link> b)
    {
        var order = a.Length.CompareTo(b.Length);
        for (var i = 0; order == 0 && i < a.Length; i++)
        {
            order = string.CompareOrdinal(a[i].Bucket, b[i].Bucket);
            order = order != 0 ? order : string.CompareOrdinal(a[i].Key, b[i].Key);
            order = order != 0 ? order : string.CompareOrdinal(a[i].Tag, b[i].Tag);
        }

        return order;
    }

    private static int ByPairs(ImmutableArray<KeyValuePair<string, string>> a, ImmutableArray<KeyValuePair<string, string>> b)
    {
        var order = a.Length.CompareTo(b.Length);
        for (var i = 0; order == 0 && i < a.Length; i++)
        {
            order = string.CompareOrdinal(a[i].Key, b[i].Key);
            order = order != 0 ? order : string.CompareOrdinal(a[i].Value, b[i].Value);
        }

        return order;
    }
}
