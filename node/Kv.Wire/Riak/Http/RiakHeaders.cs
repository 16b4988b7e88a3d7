using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Kv.Wire.Riak.Http;

/// <summary>Riak's headers ↔ the model: causal context, metadata, links, index entries (riak_kv_wm_object; reference 7.2).</summary>
internal static class RiakHeaders
{
    public const string VClock = "X-Riak-Vclock";
    public const string IfNotModified = "X-Riak-If-Not-Modified";
    public const string Deleted = "X-Riak-Deleted";

    private const string MetaPrefix = "X-Riak-Meta-";
    private const string IndexPrefix = "x-riak-index-";

    /// <summary>A header that carries a causal context; null where there is none, or the fault.</summary>
    public static VersionVector? ReadContext(IHeaderDictionary headers, string name, out HttpFault? fault)
    {
        fault = null;
        var text = headers[name].ToString();
        if (text.Length == 0)
        {
            return null;
        }

        if (text.Length > 2 * CausalContext.MaxBytes)
        {
            fault = HttpErrors.BadContext(name, "it is too long");
            return null;
        }

        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (!Convert.TryFromBase64String(text, bytes, out var length))
        {
            fault = HttpErrors.BadContext(name, "it is not base64");
            return null;
        }

        if (!CausalContext.TryDecode(bytes.AsSpan(0, length), out var clock, out var reason))
        {
            fault = HttpErrors.BadContext(name, reason);
            return null;
        }

        return clock.IsEmpty ? null : clock;
    }

    public static string WriteContext(VersionVector clock) => Convert.ToBase64String(CausalContext.Encode(clock));

    /// <summary>All that travels with a value; null with the fault where a header makes no sense.</summary>
    public static ObjectMetadata? ReadMetadata(HttpRequest request, out HttpFault? fault)
    {
        fault = string.IsNullOrWhiteSpace(request.ContentType) ? HttpErrors.MissingContentType : null;
        if (fault is not null)
        {
            return null;
        }

        if (!LinkHeader.TryRead(request.Headers.Link, out var links))
        {
            fault = HttpErrors.BadLink;
            return null;
        }

        var user = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        var indexes = new HashSet<(string Field, string Value)>();
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith(MetaPrefix, StringComparison.OrdinalIgnoreCase))
            {
                user.Add(KeyValuePair.Create(name[MetaPrefix.Length..], string.Join(", ", values.ToArray())));
            }
            else if (name.StartsWith(IndexPrefix, StringComparison.OrdinalIgnoreCase))
            {
                fault ??= ReadIndex(name[IndexPrefix.Length..].ToLowerInvariant(), values, indexes);
            }
        }

        var (contentType, charset) = SplitCharset(request.ContentType!);
        var encoding = request.Headers.ContentEncoding.ToString();
        return fault is not null ? null : new ObjectMetadata
        {
            ContentType = contentType,
            Charset = charset,
            ContentEncoding = encoding.Length == 0 ? null : encoding,
            Links = links,
            UserMetadata = user.ToImmutable(),
            Indexes = [.. indexes.Select(entry => KeyValuePair.Create(entry.Field, entry.Value))],
        };
    }

    /// <summary>What a sibling is and leads to, as headers that `add` takes, whether they go to an answer or to a part of one.</summary>
    public static void WriteContent(ObjectMetadata metadata, in RiakPath path, Action<string, string> add)
    {
        add("Content-Type", ContentTypeOf(metadata));
        if (!string.IsNullOrEmpty(metadata.ContentEncoding))
        {
            add("Content-Encoding", HeaderText.Safe(metadata.ContentEncoding));
        }

        add("Link", LinkHeader.Write(path, metadata.Links));
    }

    /// <summary>What its writer said of a sibling: in a part these headers come last.</summary>
    public static void WriteEntries(ObjectMetadata metadata, Action<string, string> add)
    {
        foreach (var (name, value) in metadata.UserMetadata)
        {
            if (HeaderText.IsName(name))
            {
                add(MetaPrefix + name, HeaderText.Safe(value));
            }
        }

        foreach (var (field, value) in metadata.Indexes)
        {
            if (HeaderText.IsName(field))
            {
                add(IndexPrefix + field, HeaderText.Safe(value));
            }
        }
    }

    /// <summary>The media type as it was sent, charset included; `application/octet-stream` where none was stored.</summary>
    public static string ContentTypeOf(ObjectMetadata metadata)
    {
        var type = string.IsNullOrWhiteSpace(metadata.ContentType) ? "application/octet-stream" : HeaderText.Safe(metadata.ContentType);
        return string.IsNullOrEmpty(metadata.Charset) ? type : $"{type}; charset={HeaderText.Safe(metadata.Charset)}";
    }

    /// <summary>A time of the store as HTTP writes it; what no calendar has becomes 1970.</summary>
    public static string HttpDate(long microseconds) => DateOf(microseconds).ToString("R", CultureInfo.InvariantCulture);

    public static DateTimeOffset DateOf(long microseconds) =>
        microseconds is < 0 or > 250_000_000_000_000_000 ? DateTimeOffset.UnixEpoch : DateTimeOffset.FromUnixTimeSeconds(microseconds / 1_000_000);

    private static HttpFault? ReadIndex(string field, StringValues values, HashSet<(string Field, string Value)> indexes)
    {
        foreach (var line in values)
        {
            foreach (var value in (line ?? "").Split(", "))
            {
                var text = value.Trim();
                switch (IndexField.Check(field, text))
                {
                    case IndexProblem.UnknownType:
                        return HttpErrors.BadIndexType(field);
                    case IndexProblem.NotAnInteger:
                        return HttpErrors.BadIndexValue(field, text);
                }

                indexes.Add((field, text));
                if (indexes.Count > MessageLimits.MaxEntries)
                {
                    return HttpErrors.TooManyEntries;
                }
            }
        }

        return null;
    }

    // hot
    private static (string ContentType, string? Charset) SplitCharset(string header)
    {
        if (!header.Contains(';', StringComparison.Ordinal))
        {
            return (header.Trim(), null);
        }

        var type = new StringBuilder(header.Length);
        string? charset = null;
        foreach (var part in header.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (charset is null && part.StartsWith("charset=", StringComparison.OrdinalIgnoreCase))
            {
                charset = part["charset=".Length..].Trim('"');
                continue;
            }

            _ = type.Length == 0 ? type.Append(part) : type.Append("; ").Append(part);
        }

        return (type.ToString(), charset);
    }
}
