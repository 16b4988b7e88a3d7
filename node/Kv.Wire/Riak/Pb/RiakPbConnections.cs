using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Kv.Wire.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Riak's Protocol Buffers interface as what serves a listener's connections: <c>listen.Run(riak.ServeAsync)</c>. A connection begins plain; where security is on, the client asks for TLS
/// (`RpbStartTls`), and the rest of it is served over that.
/// </summary>
public sealed partial class RiakPbConnections
{
    private const int BufferBytes = 16 * 1024;

    private readonly RiakPbOptions options;
    private readonly PbDispatch dispatch;
    private readonly RequestMemory memory;
    private readonly NodeTls? tls;
    private readonly ILogger<RiakPbConnections> log;

    public RiakPbConnections(RiakPbDoors doors, RiakPbOptions options, RequestMemory memory, ILoggerFactory loggers)
    {
        (this.options, this.memory, tls) = (options, memory, doors.Tls);
        dispatch = new PbDispatch(doors, options, memory, loggers.CreateLogger<PbDispatch>());
        log = loggers.CreateLogger<RiakPbConnections>();
    }

    /// <summary>Serves one connection to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        try
        {
            var peer = (connection.RemoteEndPoint as IPEndPoint)?.Address;
            if (await ServeAsync(connection, connection.Transport, output => new PbSession(output, peer)))
            {
                await ServeSecuredAsync(connection, peer);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client went away, or takes nothing: a write that was begun goes on without it.
            connection.Abort();
        }
        catch (AuthenticationException failed)
        {
            LogHandshake(peer: connection.RemoteEndPoint?.ToString() ?? "", failed.Message);
            connection.Abort();
        }
    }

    private async Task ServeSecuredAsync(ConnectionContext connection, IPAddress? peer)
    {
        await using var secured = new SslStream(new DuplexPipeStream(connection.Transport));
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed))
        {
            limit.CancelAfter(options.HandshakeTimeout);
            await secured.AuthenticateAsServerAsync(tls!.ForClients(), limit.Token);
        }

        var commonName = HttpCaller.CommonName(secured.RemoteCertificate as X509Certificate2);
        // A connection that is idle waits with no buffer of its own.
        var pipes = new SecuredPipes(
            PipeReader.Create(secured, new StreamPipeReaderOptions(bufferSize: BufferBytes, leaveOpen: true, useZeroByteReads: true)),
            PipeWriter.Create(secured, new StreamPipeWriterOptions(leaveOpen: true)));
        Exception? failure = null;
        try
        {
            await ServeAsync(connection, pipes, output => new PbSession(output, peer) { IsSecured = true, CommonName = commonName });
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            // Gives buffers back. With a failure, what was still to be sent is dropped: the client takes nothing.
            await pipes.Input.CompleteAsync(failure);
            await pipes.Output.CompleteAsync(failure);
        }

        await secured.ShutdownAsync();
    }

    private async Task<bool> ServeAsync(ConnectionContext connection, IDuplexPipe pipes, Func<PbOutput, PbSession> begin)
    {
        using var served = new PbConnection(pipes, begin, dispatch, options, memory, connection.ConnectionClosed);
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var stopping = lifetime?.ConnectionClosedRequested.Register(served.Stop) ?? default;
        return await served.ServeAsync();
    }

    private sealed record SecuredPipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    [LoggerMessage(2302, LogLevel.Warning, "a TLS handshake with {Peer} failed: {Reason}")]
    private partial void LogHandshake(string peer, string reason);
}
