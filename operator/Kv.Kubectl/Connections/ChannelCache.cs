using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;

namespace Kv.Kubectl.Connections;

/// <summary>A gRPC channel for each address, as many as a cluster has nodes. Safe for any number of callers.</summary>
internal sealed class ChannelCache(Func<SocketsHttpHandler> handler) : IDisposable
{
    /// <summary>An object of the largest size that a node gives out, with what goes with it.</summary>
    private const int MaxMessageBytes = 80 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, GrpcChannel> channels = new(StringComparer.Ordinal);

    public CallInvoker Get(string address) => channels.GetOrAdd(address, Open).CreateCallInvoker();

    public void Dispose()
    {
        foreach (var channel in channels.Values)
        {
            channel.Dispose();
        }
    }

    private GrpcChannel Open(string address) => GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions
    {
        HttpHandler = handler(),
        DisposeHttpClient = true,
        MaxReceiveMessageSize = MaxMessageBytes,
        MaxSendMessageSize = MaxMessageBytes,
    });
}
