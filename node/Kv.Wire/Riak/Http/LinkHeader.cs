using System.Collections.Immutable;
using System.Text;
using Kv.Core.Objects;
using Microsoft.Extensions.Primitives;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Riak's Link headers both ways: `&lt;/buckets/B/keys/K&gt;; riaktag="T"` or `&lt;/riak/B/K&gt;; riaktag="T"`. The link up to the bucket, which every answer has, is
/// passed over when a client sends it back. Buckets, keys and tags are percent-encoded; a tag that is not is taken as it stands. Links name untyped buckets only: Riak has no typed form of them.
/// </summary>
internal static class LinkHeader
{
    /// <summary>False where one of the links is of neither form.</summary>
    public static bool TryRead(StringValues header, out ImmutableArray<Link> links)
    {
        links = [];
        if (header.Count == 0)
        {
            return true;
        }

        var read = ImmutableArray.CreateBuilder<Link>();
        foreach (var line in header)
        {
            foreach (var part in SplitOutsideQuotes(line ?? "", ','))
            {
                if (part.Trim() is { Length: > 0 } text && !TryReadOne(text, read))
                {
                    return false;
                }
            }
        }

        links = read.ToImmutable();
        return true;
    }

    /// <summary>The link up to the bucket, then the object's own, in the form of the request's path.</summary>
    public static string Write(in RiakPath path, ImmutableArray<Link> links)
    {
        var text = new StringBuilder(64).Append('<').Append(path.BucketPath).Append(">; rel=\"up\"");
        foreach (var link in links)
        {
            var (bucket, key) = (PercentEncoding.Encode(link.Bucket), PercentEncoding.Encode(link.Key));
            _ = path.Form == RiakPathForm.Old
                ? text.Append(", </riak/").Append(bucket).Append('/').Append(key)
                : text.Append(", </buckets/").Append(bucket).Append("/keys/").Append(key);
            text.Append(">; riaktag=\"").Append(PercentEncoding.EncodeQuoted(link.Tag)).Append('"');
        }

        return text.ToString();
    }

    private static bool TryReadOne(string text, ImmutableArray<Link>.Builder links)
    {
        var close = text.IndexOf('>', StringComparison.Ordinal);
        if (text[0] != '<' || close < 0)
        {
            return false;
        }

        var segments = text[1..close].Split('/', StringSplitOptions.RemoveEmptyEntries);
        string? tag = null;
        foreach (var parameter in SplitOutsideQuotes(text[(close + 1)..], ';'))
        {
            var trimmed = parameter.Trim();
            if (trimmed.StartsWith("riaktag=", StringComparison.OrdinalIgnoreCase))
            {
                tag = trimmed["riaktag=".Length..].Trim('"');
            }
        }

        if (tag is null)
        {
            return segments is ["buckets" or "riak", _];
        }

        var (bucketAt, keyAt) = segments switch
        {
            ["riak", _, _] => (1, 2),
            ["buckets", _, "keys", _] => (1, 3),
            _ => (-1, -1),
        };
        if (bucketAt < 0 || !PercentEncoding.TryDecodeText(segments[bucketAt], out var bucket) || !PercentEncoding.TryDecodeText(segments[keyAt], out var key))
        {
            return false;
        }

        links.Add(new Link(bucket, key, PercentEncoding.TryDecodeText(tag, out var decoded) ? decoded : tag));
        return true;
    }

    private static IEnumerable<string> SplitOutsideQuotes(string text, char separator)
    {
        var (from, isQuoted) = (0, false);
        for (var at = 0; at < text.Length; at++)
        {
            isQuoted ^= text[at] == '"';
            if (text[at] == separator && !isQuoted)
            {
                yield return text[from..at];
                from = at + 1;
            }
        }

        yield return text[from..];
    }
}
