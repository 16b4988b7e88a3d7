using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Answers are sent gzipped where Accept-Encoding asks for it (reference 7.1): all but those that are stored with an encoding of their own, those known beforehand to be small, which
/// would hardly shrink, and those to HEAD, by whose length clients tell a value's. What one being packed holds is bounded by how many are at once, <paramref name="maxAtOnce"/>: past that,
/// an answer goes as it is, which every client takes.
/// </summary>
internal sealed class AnswerCompression(IServiceProvider services, IOptions<ResponseCompressionOptions> options, int maxAtOnce) : ResponseCompressionProvider(services, options)
{
    /// <summary>Bytes below which an answer goes as it is. One whose length is not known when it begins (siblings, listings that are streamed) is packed however short.</summary>
    public const int Least = 1024;

    private int atOnce;

    public static void Configure(ResponseCompressionOptions options)
    {
        // Not over TLS: an answer may hold what several wrote (siblings, a listing), and a packed length tells one who writes some of it, and sees lengths pass, of the rest (BREACH).
        options.EnableForHttps = false;
        options.MimeTypes = ["*/*"];
        options.Providers.Add(new GzipCompressionProvider(Options.Create(new GzipCompressionProviderOptions { Level = CompressionLevel.Fastest })));
    }

    public override bool ShouldCompressResponse(HttpContext context) =>
        !HttpMethods.IsHead(context.Request.Method) && context.Response.Headers.ContentEncoding.Count == 0 && !(context.Response.ContentLength < Least) && base.ShouldCompressResponse(context);

    public override ICompressionProvider? GetCompressionProvider(HttpContext context)
    {
        if (base.GetCompressionProvider(context) is not { } provider)
        {
            return null;
        }

        if (Interlocked.Increment(ref atOnce) > maxAtOnce)
        {
            Interlocked.Decrement(ref atOnce);
            return null;
        }

        context.Response.OnCompleted(() =>
        {
            Interlocked.Decrement(ref atOnce);
            return Task.CompletedTask;
        });
        return provider;
    }
}
