using System.Globalization;
using System.Text;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// An object as an answer: its one value with its headers, or `300 Multiple Choices` with all siblings, as multipart/mixed where the client says it takes that,
/// else as a list of their tags (reference 7.2).
/// </summary>
internal static class SiblingAnswer
{
    public const string Multipart = "multipart/mixed";

    /// <summary>As random as a key: no value holds it but by an accident that nobody lives to see.</summary>
    public static string NewBoundary() => Encoding.ASCII.GetString(GeneratedKey.New());

    /// <summary>Whether the client takes any of the forms that the object can be sent in.</summary>
    public static bool IsAcceptable(HttpRequest request, KvObject found, Sibling? chosen)
    {
        var accept = request.Headers.Accept;
        if (accept.Count == 0)
        {
            return true;
        }

        return chosen is not null
            ? AcceptHeader.Allows(accept, RiakHeaders.ContentTypeOf(chosen.Metadata))
            : found.Siblings.Length > 0 && (AcceptHeader.Allows(accept, "text/plain") || AcceptHeader.Allows(accept, Multipart));
    }

    /// <summary>The headers that an object has in every answer, `304` among them.</summary>
    public static void WriteObjectHeaders(HttpResponse response, KvObject found, Sibling? chosen)
    {
        var headers = response.Headers;
        headers[RiakHeaders.VClock] = RiakHeaders.WriteContext(found.Clock);
        var tag = chosen is null ? Conditions.TagOf(found) : Conditions.TagOf(chosen);
        if (tag.Length > 0)
        {
            headers.ETag = $"\"{tag}\"";
        }

        headers.LastModified = chosen is null
            ? Conditions.ModifiedAt(found).ToString("R", CultureInfo.InvariantCulture)
            : RiakHeaders.HttpDate(chosen.LastModifiedMicroseconds);
        headers.Vary = chosen is null ? "Accept, Accept-Encoding" : "Accept-Encoding";
    }

    /// <summary>Sends one value. <paramref name="status"/> is 200, or 201 where a key was made for it.</summary>
    // hot
    public static async Task SendValueAsync(HttpContext http, RiakPath path, KvObject found, Sibling sibling, int status)
    {
        var response = http.Response;
        response.StatusCode = status;
        WriteObjectHeaders(response, found, sibling);
        RiakHeaders.WriteContent(sibling.Metadata, path, Add);
        RiakHeaders.WriteEntries(sibling.Metadata, Add);
        if (sibling.IsTombstone)
        {
            response.Headers[RiakHeaders.Deleted] = "true";
        }

        response.ContentLength = sibling.ValueBytes;
        if (!HttpMethods.IsHead(http.Request.Method) && !sibling.Value.IsEmpty)
        {
            await http.WriteAsync(sibling.Value);
        }

        void Add(string name, string value) => response.Headers.Append(name, value);
    }

    public static Task SendSiblingsAsync(HttpContext http, RiakPath path, KvObject found)
    {
        http.Response.StatusCode = StatusCodes.Status300MultipleChoices;
        WriteObjectHeaders(http.Response, found, chosen: null);
        return PrefersMultipart(http.Request) ? SendMultipartAsync(http, path, found) : SendTagsAsync(http, found);
    }

    /// <summary>Riak offers text first: `*/*` and no header get that, multipart/mixed has to be named.</summary>
    private static bool PrefersMultipart(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        if (accept.Count == 0)
        {
            return false;
        }

        var text = AcceptHeader.QualityOf(accept, "text/plain", out var isTextNamed);
        var multipart = AcceptHeader.QualityOf(accept, Multipart, out var isMultipartNamed);
        return multipart > text || (isMultipartNamed && multipart > 0 && (multipart >= text || !isTextNamed));
    }

    private static Task SendTagsAsync(HttpContext http, KvObject found)
    {
        var text = new StringBuilder("Siblings:\n");
        foreach (var sibling in found.Siblings)
        {
            text.Append(HeaderText.Safe(sibling.VTag)).Append('\n');
        }

        return http.SendAsync(StatusCodes.Status300MultipleChoices, "text/plain", text.ToString());
    }

    private static async Task SendMultipartAsync(HttpContext http, RiakPath path, KvObject found)
    {
        var boundary = NewBoundary();
        http.Response.ContentType = $"{Multipart}; boundary={boundary}";
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        await WritePartsAsync(http, path, found, boundary, leading: "");
        await http.Response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"), http.RequestAborted);
    }

    /// <summary>Each sibling as a part, with <paramref name="leading"/> before its own headers. The end of the last part is the caller's.</summary>
    public static async Task WritePartsAsync(HttpContext http, RiakPath path, KvObject found, string boundary, string leading)
    {
        foreach (var sibling in found.Siblings)
        {
            await http.WriteAsync(Encoding.UTF8.GetBytes(PartHeaders(sibling, path, boundary, leading)));
            await http.WriteAsync(sibling.Value);
        }
    }

    private static string PartHeaders(Sibling sibling, in RiakPath path, string boundary, string leading)
    {
        var head = new StringBuilder($"\r\n--{boundary}\r\n{leading}", 256);
        RiakHeaders.WriteContent(sibling.Metadata, path, Add);
        Add("Etag", Conditions.TagOf(sibling));
        Add("Last-Modified", RiakHeaders.HttpDate(sibling.LastModifiedMicroseconds));
        if (sibling.IsTombstone)
        {
            Add(RiakHeaders.Deleted, "true");
        }

        RiakHeaders.WriteEntries(sibling.Metadata, Add);
        return head.Append("\r\n").ToString();

        void Add(string name, string value) => head.Append(name).Append(": ").Append(value).Append("\r\n");
    }
}
