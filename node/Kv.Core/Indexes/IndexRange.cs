using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Core.Indexes;

/// <summary>A query as what stores are scanned for: entries of one field, or the records of a bucket, from one byte string to another. Immutable.</summary>
public sealed class IndexRange
{
    private const byte ContinuationVersion = 1;

    private readonly byte[] prefix;
    private readonly bool isInteger;

    private IndexRange(IndexQuery query, byte[] prefix, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> until)
    {
        (this.prefix, From, Until) = (prefix, from, until);
        Space = query.IsOfKeys ? ScanSpace.Records : ScanSpace.Index;
        isInteger = !query.IsOfKeys && IndexEntries.IsInteger(query.Field);
    }

    public ScanSpace Space { get; }

    /// <summary>Where the scan begins.</summary>
    public ReadOnlyMemory<byte> From { get; }

    /// <summary>Before what it ends.</summary>
    public ReadOnlyMemory<byte> Until { get; }

    /// <summary>Bytes of an entry before its term.</summary>
    public int TermAt => prefix.Length;

    /// <summary>The range of a query; false with Riak's reason where it makes no sense.</summary>
    public static bool TryCreate(IndexQuery query, [NotNullWhen(true)] out IndexRange? range, [NotNullWhen(false)] out string? problem)
    {
        range = null;
        problem = ProblemOf(query);
        if (problem is not null)
        {
            return false;
        }

        var prefix = query.IsOfKeys ? ObjectKeyCodec.BucketPrefix(query.Bucket) : IndexEntries.FieldPrefix(query.Bucket, query.Field);
        var (first, after) = BoundsOf(query);
        ReadOnlyMemory<byte> from = (byte[])[.. prefix, .. first];
        var until = after is null ? IndexTermCodec.After(prefix) : [.. prefix, .. after];
        if (query.Continuation is { } continuation)
        {
            if (ReadContinuation(continuation) is not { } last)
            {
                problem = "Invalid query: the continuation is none of this node's";
                return false;
            }

            ReadOnlyMemory<byte> next = (byte[])[.. prefix, .. last.Span, 0];
            from = next.Span.SequenceCompareTo(from.Span) > 0 ? next : from;
        }

        range = new IndexRange(query, prefix, from, until);
        return true;
    }

    /// <summary>The text of a term that a `_bin` field's entry or a record has, from <paramref name="termAt"/> on; what patterns see.</summary>
    public static string? TermOf(ScanSpace space, ReadOnlySpan<byte> entry, int termAt) =>
        entry.Length < termAt ? null
        : space == ScanSpace.Records ? Encoding.UTF8.GetString(entry[termAt..])
        : IndexTermCodec.Decode(entry[termAt..], isInteger: false, out _);

    /// <summary>What an entry of the scan stands for; null for bytes that are no entry of this range.</summary>
    public IndexMatch? MatchOf(ReadOnlyMemory<byte> entry)
    {
        if (!entry.Span.StartsWith(prefix))
        {
            return null;
        }

        var rest = entry[prefix.Length..];
        if (Space == ScanSpace.Records)
        {
            return new IndexMatch(Encoding.UTF8.GetString(rest.Span), rest);
        }

        return IndexTermCodec.Decode(rest.Span, isInteger, out var length) is { } term ? new IndexMatch(term, rest[length..]) : null;
    }

    /// <summary>What a client sends for the page behind the entry: opaque, a version and where the entry lies in the range, in base64 that a URL takes as it is.</summary>
    public string ContinuationAfter(ReadOnlySpan<byte> entry) => Base64Url.EncodeToString([ContinuationVersion, .. entry[prefix.Length..]]);

    private static string? ProblemOf(IndexQuery query)
    {
        if (!query.IsOfKeys && !IndexEntries.IsField(query.Field))
        {
            return $"Invalid query: Unknown field type for field: '{query.Field}'.";
        }

        foreach (var bytes in query.IsOfKeys ? [] : query.End is { } end ? [query.Start, end] : new[] { query.Start })
        {
            var term = Encoding.UTF8.GetString(bytes.Span);
            if (!Utf8.IsValid(bytes.Span) || term.Length > IndexEntries.MaxLength || IndexEntries.EncodeTerm(query.Field, term) is null)
            {
                return $"Invalid query: Could not parse field '{query.Field}', value '{Shown(term)}'.";
            }
        }

        if (query.TermRegex is not { } pattern)
        {
            return null;
        }

        return !query.IsOfKeys && IndexEntries.IsInteger(query.Field) ? "Can not use term regular expressions on integer queries"
            : TermPattern.TryCreate(pattern) is null ? $"Invalid term regular expression {Shown(pattern)}"
            : null;
    }

    /// <summary>The first term's bytes, and what comes behind the last one; null where nothing of the prefix does.</summary>
    private static (byte[] First, byte[]? After) BoundsOf(IndexQuery query)
    {
        var last = query.End ?? query.Start;
        return query.Field switch
        {
            IndexQuery.BucketField => ([], null),
            IndexQuery.KeyField => (query.Start.ToArray(), [.. last.Span, 0]),
            _ => (TermOf(query.Field, query.Start), IndexTermCodec.After(TermOf(query.Field, last))),
        };
    }

    private static byte[] TermOf(string field, ReadOnlyMemory<byte> term) => IndexEntries.EncodeTerm(field, Encoding.UTF8.GetString(term.Span))!;

    private static string Shown(string text) => text.Length > 200 ? text[..200] + "…" : text;

    private static ReadOnlyMemory<byte>? ReadContinuation(string continuation)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(continuation.Length)];
        if (!Base64Url.IsValid(continuation) || !Base64Url.TryDecodeFromChars(continuation, bytes, out var length) || length < 2 || bytes[0] != ContinuationVersion)
        {
            return null;
        }

        return bytes.AsMemory(1..length);
    }
}
