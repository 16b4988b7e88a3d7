using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Answers are sent gzipped where Accept-Encoding asks for it (reference 7.1): all but those that are stored with an encoding of their own, and small ones, which would hardly shrink.
/// What one being packed holds is bounded by how many are at once: past that, an answer goes as it is, which every client takes.
/// </summary>
internal sealed class AnswerCompression(IServiceProvider services, IOptions<ResponseCompressionOptions> options) : ResponseCompressionProvider(services, options)
{
    /// <summary>Bytes below which an answer goes as it is.</summary>
    public const int Least = 1024;

    /// <summary>Answers packed at once; each holds about a quarter of a MiB that no heap counts.</summary>
    public const int MaxAtOnce = 64;

    private int atOnce;

    public static void Configure(ResponseCompressionOptions options)
    {
        // Over TLS too, as Riak does: what is secret here is the objects, and their length tells no more for being packed than for being there.
        options.EnableForHttps = true;
        options.MimeTypes = ["*/*"];
        options.Providers.Add(new GzipCompressionProvider(Options.Create(new GzipCompressionProviderOptions { Level = CompressionLevel.Fastest })));
    }

    public override bool ShouldCompressResponse(HttpContext context) =>
        context.Response.Headers.ContentEncoding.Count == 0 && !(context.Response.ContentLength < Least) && base.ShouldCompressResponse(context);

    public override ICompressionProvider? GetCompressionProvider(HttpContext context)
    {
        if (base.GetCompressionProvider(context) is not { } provider)
        {
            return null;
        }

        if (Interlocked.Increment(ref atOnce) > MaxAtOnce)
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
