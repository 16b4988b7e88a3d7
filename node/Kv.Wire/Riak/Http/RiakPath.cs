using Kv.Core.Objects;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// A request's path, taken apart as it came over the wire: segments are percent-decoded once (`%2F` belongs to a key), empty ones do not count, and `.` and `..` are
/// names like any other. <see cref="Form"/> is which of Riak's three ways of writing it was used: links and locations are answered in the same.
/// </summary>
internal readonly record struct RiakPath(RiakResource Resource, RiakPathForm Form, string BucketType, byte[] Bucket, byte[] Key)
{
    private const int MostSegments = 16;

    private static readonly RiakPath Unknown = Of(RiakResource.Unknown);

    /// <summary>Of <see cref="RiakResource.Index"/>: the field, a term, and for a range its last term; as bytes, since keys need not be text.</summary>
    public byte[][]? Index { get; init; }

    /// <summary>Of <see cref="RiakResource.LinkWalk"/>: the segments behind the key, as they came.</summary>
    public string[]? Steps { get; init; }

    /// <summary>The path of a bucket, as links write it.</summary>
    public string BucketPath => Form == RiakPathForm.Old ? $"/riak/{PercentEncoding.Encode(Bucket)}" : $"/buckets/{PercentEncoding.Encode(Bucket)}";

    /// <summary>The path of a key of this bucket, in the form that the request used.</summary>
    public string PathOf(ReadOnlySpan<byte> key)
    {
        var name = PercentEncoding.Encode(key);
        return Form switch
        {
            RiakPathForm.Old => $"{BucketPath}/{name}",
            RiakPathForm.Typed => $"/types/{PercentEncoding.Encode(BucketType)}{BucketPath}/keys/{name}",
            _ => $"{BucketPath}/keys/{name}",
        };
    }

    /// <summary>Takes the raw request target; false where an escape is malformed. A path that names nothing is <see cref="RiakResource.Unknown"/>.</summary>
    // hot
    public static bool TryParse(string target, out RiakPath path)
    {
        path = Unknown;
        var text = PathOfTarget(target);
        Span<Range> segments = stackalloc Range[MostSegments + 1];
        var count = Split(text, segments);
        if (count > MostSegments)
        {
            return true;
        }

        return count == 0 ? Done(Of(RiakResource.Root), out path) : TryName(text, segments[..count], out path);
    }

    private static bool TryName(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments, out RiakPath path)
    {
        var count = segments.Length;
        path = Unknown;
        switch (text[segments[0]])
        {
            case "ping" when count == 1:
                return Done(Of(RiakResource.Ping), out path);
            case "mapred" when count == 1:
                return Done(Of(RiakResource.MapReduce), out path);
            case "stats" when count == 1:
                return Done(Of(RiakResource.Stats), out path);
            case "buckets":
                return TryBuckets(text, segments[1..], ObjectKey.DefaultType, RiakPathForm.Untyped, out path);
            case "riak":
                return TryOld(text, segments[1..], out path);
            case "types" when count >= 3:
                if (!PercentEncoding.TryDecodeText(text[segments[1]], out var bucketType))
                {
                    return false;
                }

                return text[segments[2]] switch
                {
                    "props" when count == 3 => Done(Of(RiakResource.TypeProps) with { Form = RiakPathForm.Typed, BucketType = bucketType }, out path),
                    "buckets" => TryBuckets(text, segments[3..], bucketType, RiakPathForm.Typed, out path),
                    _ => true,
                };
            default:
                return true;
        }
    }

    private static bool TryBuckets(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments, string bucketType, RiakPathForm form, out RiakPath path)
    {
        path = Unknown;
        if (segments.IsEmpty)
        {
            return Done(Of(RiakResource.Buckets) with { Form = form, BucketType = bucketType }, out path);
        }

        if (!PercentEncoding.TryDecode(text[segments[0]], out var bucket))
        {
            return false;
        }

        var resource = segments.Length switch
        {
            2 when text[segments[1]] is "props" => RiakResource.BucketProps,
            2 when text[segments[1]] is "keys" => RiakResource.Keys,
            3 when text[segments[1]] is "keys" => RiakResource.Object,
            4 when text[segments[1]] is "keys" && text[segments[3]] is "preflist" => RiakResource.Preflist,
            > 3 when text[segments[1]] is "keys" && AreSteps(text, segments[3..]) => RiakResource.LinkWalk,
            2 when text[segments[1]] is "datatypes" => RiakResource.DataTypes,
            3 when text[segments[1]] is "datatypes" => RiakResource.DataType,
            4 or 5 when text[segments[1]] is "index" => RiakResource.Index,
            3 when form == RiakPathForm.Untyped && text[segments[1]] is "counters" => RiakResource.Counter,
            _ => RiakResource.Unknown,
        };
        byte[] key = [];
        if (resource is RiakResource.Object or RiakResource.LinkWalk or RiakResource.Preflist or RiakResource.DataType or RiakResource.Counter && !PercentEncoding.TryDecode(text[segments[2]], out key))
        {
            return false;
        }

        byte[][]? index = null;
        if (resource == RiakResource.Index && !TryDecodeAll(text, segments[2..], out index))
        {
            return false;
        }

        var steps = resource == RiakResource.LinkWalk ? Texts(text, segments[3..]) : null;
        return Done(new RiakPath(resource, form, bucketType, bucket, key) { Index = index, Steps = steps }, out path);
    }

    /// <summary>A step of a link walk has commas; no name of a resource does.</summary>
    private static bool AreSteps(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments)
    {
        foreach (var segment in segments)
        {
            if (!text[segment].Contains(','))
            {
                return false;
            }
        }

        return true;
    }

    private static string[] Texts(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments)
    {
        var texts = new string[segments.Length];
        for (var at = 0; at < segments.Length; at++)
        {
            texts[at] = text[segments[at]].ToString();
        }

        return texts;
    }

    private static bool TryDecodeAll(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments, out byte[][] decoded)
    {
        decoded = new byte[segments.Length][];
        for (var at = 0; at < segments.Length; at++)
        {
            if (!PercentEncoding.TryDecode(text[segments[at]], out decoded[at]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryOld(ReadOnlySpan<char> text, ReadOnlySpan<Range> segments, out RiakPath path)
    {
        path = Unknown;
        byte[] bucket = [];
        byte[] key = [];
        var isWell = (segments.Length < 1 || PercentEncoding.TryDecode(text[segments[0]], out bucket))
            && (segments.Length < 2 || PercentEncoding.TryDecode(text[segments[1]], out key));
        var resource = segments.Length switch
        {
            0 => RiakResource.Buckets,
            1 => RiakResource.OldBucket,
            2 => RiakResource.Object,
            _ when AreSteps(text, segments[2..]) => RiakResource.LinkWalk,
            _ => RiakResource.Unknown,
        };
        var steps = resource == RiakResource.LinkWalk ? Texts(text, segments[2..]) : null;
        return Done(new RiakPath(resource, RiakPathForm.Old, ObjectKey.DefaultType, bucket, key) { Steps = steps }, out path) && isWell;
    }

    /// <summary>Without the query, and without scheme and host where a client wrote a whole address.</summary>
    private static ReadOnlySpan<char> PathOfTarget(string target)
    {
        var text = target.AsSpan();
        if (!text.StartsWith('/'))
        {
            var authority = text.IndexOf("://") is var at && at >= 0 ? text[(at + 3)..] : [];
            text = authority.IndexOf('/') is var slash && slash >= 0 ? authority[slash..] : [];
        }

        var end = text.IndexOfAny('?', '#');
        return end < 0 ? text : text[..end];
    }

    private static int Split(ReadOnlySpan<char> text, Span<Range> segments)
    {
        var count = 0;
        foreach (var segment in text.Split('/'))
        {
            var (from, to) = (segment.Start.GetOffset(text.Length), segment.End.GetOffset(text.Length));
            if (to == from)
            {
                continue;
            }

            if (count == segments.Length)
            {
                break;
            }

            segments[count++] = from..to;
        }

        return count;
    }

    private static RiakPath Of(RiakResource resource) => new(resource, RiakPathForm.Untyped, ObjectKey.DefaultType, [], []);

    private static bool Done(RiakPath value, out RiakPath path)
    {
        path = value;
        return true;
    }
}
