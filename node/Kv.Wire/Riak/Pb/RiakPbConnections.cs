using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Riak.Pb;

/// <summary>Riak's Protocol Buffers interface as what serves a listener's connections: <c>listen.Run(riak.ServeAsync)</c>.</summary>
public sealed class RiakPbConnections
{
    private readonly RiakPbOptions options;
    private readonly PbDispatch dispatch;
    private readonly RequestMemory memory;

    public RiakPbConnections(RiakPbDoors doors, RiakPbOptions options, RequestMemory memory, ILoggerFactory loggers)
    {
        (this.options, this.memory) = (options, memory);
        dispatch = new PbDispatch(doors, options, loggers.CreateLogger<PbDispatch>());
    }

    /// <summary>Serves one connection to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        using var served = new PbConnection(connection.Transport, dispatch, options, memory, connection.ConnectionClosed);
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var stopping = lifetime?.ConnectionClosedRequested.Register(served.Stop) ?? default;
        try
        {
            await served.ServeAsync();
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client went away, or takes nothing: a write that was begun goes on without it.
            connection.Abort();
        }
    }
}
