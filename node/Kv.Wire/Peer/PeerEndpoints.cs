using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Kv.Wire.Peer;

/// <summary>Puts <see cref="PeerService"/> behind a Kestrel server of its own.</summary>
public static class PeerEndpoints
{
    public static IServiceCollection AddPeerService(this IServiceCollection services, PeerService service, PeerTransportOptions options)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxMessageBytes + options.FrameBytes + PeerFrame.HeaderBytes;
            grpc.MaxSendMessageSize = null;
            grpc.Interceptors.Add<CallFailures>();
        });
        services.AddSingleton(service);
        services.AddSingleton<IServiceMethodProvider<PeerService>, PeerServiceMethods>();
        return services;
    }

    public static void MapPeerService(this WebApplication app)
    {
        app.Use(static (http, next) =>
        {
            CallBody.Before(http);
            return next(http);
        });
        app.MapGrpcService<PeerService>();
    }

    /// <summary>The windows and pings that batched streams want.</summary>
    public static void ApplyPeerLimits(this KestrelServerLimits limits, PeerTransportOptions options)
    {
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestBodySize = null;
        limits.Http2.InitialConnectionWindowSize = options.ConnectionWindowBytes;
        limits.Http2.InitialStreamWindowSize = options.StreamWindowBytes;
        limits.Http2.KeepAlivePingDelay = options.KeepAlive;
        limits.Http2.KeepAlivePingTimeout = options.KeepAliveTimeout;
    }

    private sealed class PeerServiceMethods : IServiceMethodProvider<PeerService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<PeerService> context)
        {
            context.AddDuplexStreamingMethod(PeerMethods.Requests, [], static (service, reader, writer, call) => service.ServeAsync(reader, writer, call));
            context.AddDuplexStreamingMethod(PeerMethods.Bulk, [], static (service, reader, writer, call) => service.ServeAsync(reader, writer, call));
        }
    }
}
