using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;

namespace Kv.Kubectl.Connections;

/// <summary>A gRPC channel for each address, as many as a cluster has nodes. Safe for any number of callers. All goes by the TLS of <paramref name="security"/> where there is some, and data says who asks.</summary>
internal sealed class ChannelCache(Func<SocketsHttpHandler> handler, DataSecurity? security, bool checksNames) : IDisposable
{
    /// <summary>An object of the largest size that a node gives out, with what goes with it.</summary>
    private const int MaxMessageBytes = 80 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, GrpcChannel> channels = new(StringComparer.Ordinal);

    public CallInvoker Get(string address, NodePort port)
    {
        var invoker = channels.GetOrAdd(address, Open).CreateCallInvoker();
        return port == NodePort.Grpc && security is not null ? security.Identify(invoker) : invoker;
    }

    public void Dispose()
    {
        foreach (var channel in channels.Values)
        {
            channel.Dispose();
        }
    }

    private GrpcChannel Open(string address)
    {
        var connections = handler();
        security?.Secure(connections, checksNames);
        return GrpcChannel.ForAddress($"{(security is null ? "http" : "https")}://{address}", new GrpcChannelOptions
        {
            HttpHandler = connections,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            MaxSendMessageSize = MaxMessageBytes,
        });
    }
}
