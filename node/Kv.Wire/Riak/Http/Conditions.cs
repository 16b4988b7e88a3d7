using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Kv.Wire.Riak.Http;

/// <summary>HTTP's conditions over an object's tag and time, in webmachine's order (RFC 9110 13.2.2 agrees with it).</summary>
internal static class Conditions
{
    /// <summary>Whether a write has conditions that need the object: `If-None-Match: *` alone is the store's to check.</summary>
    public static bool NeedObject(IHeaderDictionary headers) =>
        headers.IfMatch.Count > 0 || headers.IfUnmodifiedSince.Count > 0 || (headers.IfNoneMatch.Count > 0 && !IsAny(headers.IfNoneMatch));

    public static bool IsAny(StringValues header) => header.Count == 1 && header[0]?.Trim() == "*";

    /// <summary>
    /// The status that a condition ends the request with: 412, for reads also 304; null where it may go on. No object: <paramref name="found"/> is null. <paramref name="chosen"/> is the one of its
    /// siblings that is asked for, whose tag and time then count; null for all of them.
    /// </summary>
    public static int? Check(IHeaderDictionary headers, KvObject? found, Sibling? chosen, bool isRead)
    {
        if (found is null)
        {
            return headers.IfMatch.Count > 0 ? 412 : null;
        }

        var (tag, modifiedAt) = chosen is null ? (TagOf(found), ModifiedAt(found)) : (TagOf(chosen), RiakHeaders.DateOf(chosen.LastModifiedMicroseconds));
        if (headers.IfMatch.Count > 0 && !Matches(headers.IfMatch, tag))
        {
            return 412;
        }

        if (TryDate(headers.IfUnmodifiedSince, out var unmodifiedSince) && modifiedAt > unmodifiedSince)
        {
            return 412;
        }

        if (headers.IfNoneMatch.Count > 0)
        {
            return Matches(headers.IfNoneMatch, tag) ? (isRead ? 304 : 412) : null;
        }

        return isRead && TryDate(headers.IfModifiedSince, out var modifiedSince) && modifiedAt <= modifiedSince ? 304 : null;
    }

    /// <summary>The tag of the one value, or one made of the clock where there are several.</summary>
    public static string TagOf(KvObject found) => found.Siblings is [var single] ? TagOf(single) : TagOf(found.Clock);

    /// <summary>A tag is a word: what else a peer or an `asis` writer left there is made one.</summary>
    public static string TagOf(Sibling sibling) => HeaderText.Safe(sibling.VTag).Replace('"', '\'');

    public static DateTimeOffset ModifiedAt(KvObject found)
    {
        var latest = DateTimeOffset.UnixEpoch;
        foreach (var sibling in found.Siblings)
        {
            var at = RiakHeaders.DateOf(sibling.LastModifiedMicroseconds);
            latest = at > latest ? at : latest;
        }

        return latest;
    }

    private static string TagOf(VersionVector clock)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(CausalContext.Encode(clock), hash);
        return Base64Url.EncodeToString(hash[..16]);
    }

    private static bool Matches(StringValues header, string tag)
    {
        foreach (var line in header)
        {
            foreach (var part in (line ?? "").Split(','))
            {
                var candidate = part.AsSpan().Trim();
                candidate = candidate.StartsWith("W/") ? candidate[2..] : candidate;
                if (candidate is "*" || candidate.Trim('"').SequenceEqual(tag))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool TryDate(StringValues header, out DateTimeOffset date)
    {
        date = default;
        return header.Count > 0
            && DateTimeOffset.TryParse(header[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date);
    }
}
