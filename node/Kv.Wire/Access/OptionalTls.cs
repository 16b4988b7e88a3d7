using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Kv.Wire.Access;

/// <summary>
/// TLS and plain connections at one port, told apart by the first byte: a TLS handshake begins with 22, which no request of HTTP/1, and not HTTP/2's preface, begins with. So security can be
/// turned on without a second port, and who comes plain is told in words.
/// </summary>
public static class OptionalTls
{
    private const byte Handshake = 22;

    /// <summary>As long as a connection may say nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(130);

    public static void UseOptionalTls(this ListenOptions listen, Func<SslServerAuthenticationOptions> tls)
    {
        ConnectionDelegate? plain = null;
        listen.Use(next => async connection =>
        {
            if (await IsTlsAsync(connection) is { } isTls)
            {
                await (isTls ? next : plain!)(connection);
            }
        });
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls()) });

        // What comes after TLS is what a plain connection goes to at once.
        listen.Use(next => plain = next);
    }

    /// <summary>Null where the client hung up, or says nothing.</summary>
    private static async ValueTask<bool?> IsTlsAsync(ConnectionContext connection)
    {
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stopping);
        limit.CancelAfter(Patience);
        try
        {
            var input = connection.Transport.Input;
            ReadResult read;
            do
            {
                read = await input.ReadAsync(limit.Token);
                if (!read.Buffer.IsEmpty)
                {
                    var first = read.Buffer.FirstSpan[0];
                    input.AdvanceTo(read.Buffer.Start);
                    return first == Handshake;
                }

                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
            while (!read.IsCompleted && !read.IsCanceled);
            return null;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }
}
