using Kv.Wire.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Kv.Wire.Native;

/// <summary>Puts <see cref="KvService"/> behind a Kestrel server of its own.</summary>
public static class KvEndpoints
{
    public static IServiceCollection AddKvService(this IServiceCollection services, KvService service, NativeOptions options, AccessControl access)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxMessageBytes;
            grpc.MaxSendMessageSize = null;
            grpc.Interceptors.Add<CallFailures>();
            grpc.Interceptors.Add<NativeAccess>();
        });
        services.AddSingleton(service);
        services.AddSingleton(new NativeAccess(access));
        return services;
    }

    public static void MapKvService(this WebApplication app, RequestMemory memory, NativeOptions options)
    {
        app.Use(app.Services.GetRequiredService<NativeAccess>().InvokeAsync);
        app.Use(new UnaryAdmission(memory, options).InvokeAsync);
        app.MapGrpcService<KvService>();
    }

    /// <summary>Windows that hold a few frames of a session: enough for throughput, small enough for thousands of connections.</summary>
    public static void ApplyNativeLimits(this KestrelServerLimits limits, NativeOptions options, int maxConnections)
    {
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = TransferLimit.ForKestrel(options.StallTimeout, options.LeastBytesPerSecond);
        limits.MaxRequestBodySize = null;
        limits.MaxConcurrentConnections = maxConnections;
        limits.Http2.InitialConnectionWindowSize = options.ConnectionWindowBytes;
        limits.Http2.InitialStreamWindowSize = options.StreamWindowBytes;
        limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnection;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
