namespace Kv.Wire.Riak.Http;

/// <summary>One step of a link walk: `BUCKET,TAG,KEEP` (reference 7.2).</summary>
/// <param name="Bucket">Of the links to follow; null for any.</param>
/// <param name="Tag">Of the links to follow; null for any.</param>
/// <param name="Keep">Whether the objects are part of the answer.</param>
internal sealed record LinkStep(string? Bucket, string? Tag, bool Keep)
{
    private const string Any = "_";

    /// <summary>Takes a path's segment; null where it is none. What it leads to is kept by default where it <paramref name="isLast"/>.</summary>
    public static LinkStep? Parse(string segment, bool isLast)
    {
        if (segment.Split(',') is not [var bucket, var tag, var keep]
            || !PercentEncoding.TryDecodeText(bucket, out var bucketName)
            || !PercentEncoding.TryDecodeText(tag, out var tagName)
            || keep is not (Any or "" or "0" or "1"))
        {
            return null;
        }

        return new LinkStep(bucket is Any or "" ? null : bucketName, tag is Any or "" ? null : tagName, keep is Any or "" ? isLast : keep == "1");
    }
}
