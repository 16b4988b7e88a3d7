using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Kv.Wire.Riak.Http;

/// <summary>Riak's HTTP interface as the end of a request pipeline: of a whole application, or of the branch that has its port.</summary>
public static class RiakHttpPipeline
{
    /// <summary>
    /// Answers every request that comes this far. On an application that serves other ports too: <c>app.MapWhen(c =&gt; c.Connection.LocalPort == port, riak =&gt;
    /// riak.MapRiakHttp(…))</c>.
    /// </summary>
    public static void MapRiakHttp(this IApplicationBuilder app, RiakHttpDoors doors, RequestMemory memory, RiakHttpOptions? options = null)
    {
        var log = app.ApplicationServices.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var dispatch = new RiakHttpDispatch(doors, options ?? new RiakHttpOptions(), memory, log.CreateLogger<RiakHttpDispatch>());
        app.UseResponseCompression();
        app.Run(dispatch.HandleAsync);
    }

    /// <summary>Headers that carry UTF-8 both ways, which Kestrel has per server, and gzip for clients that ask for it.</summary>
    public static IServiceCollection AddRiakHttp(this IServiceCollection services, RiakHttpOptions? options = null) => services
        .AddResponseCompression(AnswerCompression.Configure)
        .AddSingleton<IResponseCompressionProvider>(all =>
            new AnswerCompression(all, all.GetRequiredService<IOptions<ResponseCompressionOptions>>(), (options ?? new RiakHttpOptions()).MaxPacked))
        .Configure<KestrelServerOptions>(kestrel => kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8);

    /// <summary>Room for long keys and contexts. Bodies are bounded by this front end itself, which says so in words, and whoever is slow is cut off.</summary>
    public static void ApplyRiakHttpLimits(this KestrelServerLimits limits, RiakHttpOptions? options = null)
    {
        options ??= new RiakHttpOptions();
        limits.MaxRequestLineSize = options.MaxRequestLineBytes;
        limits.MaxRequestHeadersTotalSize = options.MaxHeaderBytes;
        limits.MaxRequestHeaderCount = options.MaxHeaders;
        limits.MinRequestBodyDataRate = TransferLimit.ForKestrel(options.StallTimeout, options.LeastBytesPerSecond);
        limits.MinResponseDataRate = limits.MinRequestBodyDataRate;
    }
}
