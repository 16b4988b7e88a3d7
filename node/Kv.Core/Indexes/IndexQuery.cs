using System.Text;
using Kv.Core.Objects;

namespace Kv.Core.Indexes;

/// <summary>
/// A query of a bucket's index (reference 9.1): by a field's term or a range of them, both ends included; `$key`, a range of keys; `$bucket`, all of them.
/// </summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Field">With `_bin` or `_int` at its end, `$key` or `$bucket`; in lower case.</param>
/// <param name="Start">The first term, or the only one, as UTF-8, or a key as it is; of `$bucket` nothing is made of it.</param>
/// <param name="End">The last term; null for an equality.</param>
public sealed record IndexQuery(BucketName Bucket, string Field, ReadOnlyMemory<byte> Start, ReadOnlyMemory<byte>? End)
{
    public const string KeyField = "$key";
    public const string BucketField = "$bucket";

    public IndexQuery(BucketName bucket, string field, string start, string? end)
        : this(bucket, field, Encoding.UTF8.GetBytes(start), end is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(end))
    {
    }

    /// <summary>Terms must match it (of `$key`, keys); null for all.</summary>
    public string? TermRegex { get; init; }

    /// <summary>Results of a page; null for all at once.</summary>
    public int? MaxResults { get; init; }

    /// <summary>What came with the page before; null for the first.</summary>
    public string? Continuation { get; init; }

    /// <summary>Null for none.</summary>
    public TimeSpan? Timeout { get; init; }

    public bool IsRange => End is not null;

    public bool IsOfKeys => Field is KeyField or BucketField;
}
