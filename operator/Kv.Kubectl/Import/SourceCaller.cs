using System.Net.Sockets;
using System.Security.Authentication;
using Google.Protobuf;
using Kv.Protos;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>
/// Questions to the source, one at a time over one connection. All of them only read, so one that finds its connection broken is asked again of the next address. What fails is a <see cref="CliException"/>: to be tried
/// again where its code is <see cref="ExitCode.Unavailable"/>.
/// </summary>
/// <param name="settings">Where to, and as whom.</param>
/// <param name="first">Which of the addresses is asked first: callers are spread over them.</param>
internal sealed class SourceCaller(SourceSettings settings, int first) : IDisposable
{
    private const byte Error = 0;
    private const byte AuthReq = 253;
    private const byte AuthResp = 254;

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    private static readonly string[] Transient = ["timeout", "overload", "all_nodes_down", "_val_unsatisfied", "insufficient_vnodes", "not ready"];

    /// <summary>Of who asks, not of what is asked for.</summary>
    private static readonly string[] TurnedAway = ["Permission denied", "Security is enabled", "Authentication failed"];

    private int turn = first;
    private RiakConnection? connection;

    /// <summary>How many there are to try.</summary>
    public int Addresses => settings.Addresses.Count;

    private string Address => settings.Addresses[turn % settings.Addresses.Count];

    public async Task<T> AskAsync<T>(byte code, IMessage? message, byte expected, MessageParser<T> parser, CancellationToken cancel)
        where T : IMessage<T>
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var limit = Limited(settings.Timeout, cancel);
                connection ??= await ConnectAsync(cancel);
                var (got, body) = await connection.AskAsync(code, message, limit.Token);
                return Read(got, body, expected, parser);
            }
            catch (Exception e) when (IsLost(e, cancel))
            {
                var failure = Lost(e);
                if (attempt > settings.Addresses.Count)
                {
                    throw failure;
                }
            }
            catch (Exception e) when (e is not CliException)
            {
                // Its answer may come yet, and would be taken for that of the next question.
                Drop();
                throw;
            }
        }
    }

    /// <summary>
    /// An answer of several messages, until <paramref name="take"/> has had the last and says so. Not asked again where it breaks off, since something was taken; who asks anew asks the next address.
    /// </summary>
    public async Task StreamAsync<T>(byte code, IMessage message, byte expected, MessageParser<T> parser, TimeSpan patience, Func<T, bool> take, CancellationToken cancel)
        where T : IMessage<T>
    {
        try
        {
            connection ??= await ConnectAsync(cancel);
            using var limit = Limited(patience, cancel);
            var (got, body) = await connection.AskAsync(code, message, limit.Token);
            while (!take(Read(got, body, expected, parser)))
            {
                using var next = Limited(patience, cancel);
                (got, body) = await connection.ReadAsync(next.Token);
            }
        }
        catch (Exception e) when (IsLost(e, cancel))
        {
            throw Lost(e);
        }
        catch
        {
            Drop();
            turn++;
            throw;
        }
    }

    public void Dispose() => Drop();

    private async Task<RiakConnection> ConnectAsync(CancellationToken cancel)
    {
        using var limit = Limited(ConnectLimit, cancel);
        var opened = await RiakConnection.ConnectAsync(Address, limit.Token);
        try
        {
            if (settings.Tls is { } tls)
            {
                if (await opened.StartTlsAsync(tls.OfStream(Address[..Address.LastIndexOf(':')].Trim('[', ']')), limit.Token) is { } refused)
                {
                    throw new AccessException(TextOf(refused.Message));
                }

                await AuthenticateAsync(opened, cancel);
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Riak takes its time before it says that a password is wrong.</summary>
    private async Task AuthenticateAsync(RiakConnection opened, CancellationToken cancel)
    {
        if (settings.User is null)
        {
            return;
        }

        using var limit = Limited(settings.Timeout, cancel);
        var request = new RpbAuthReq { User = ByteString.CopyFromUtf8(settings.User), Password = ByteString.CopyFromUtf8(settings.Password) };
        var (code, body) = await opened.AskAsync(AuthReq, request, limit.Token);
        if (code != AuthResp)
        {
            throw new AccessException(TextOf(body));
        }
    }

    private static T Read<T>(byte code, byte[] body, byte expected, MessageParser<T> parser)
        where T : IMessage<T>
    {
        if (code == Error)
        {
            throw Refused(body);
        }

        return code == expected ? parser.ParseFrom(body) : throw new InvalidDataException($"it answers with a message of code {code}, where {expected} was expected");
    }

    private static CliException Refused(byte[] body)
    {
        var text = TextOf(body);
        return TurnedAway.Any(reason => text.Contains(reason, StringComparison.Ordinal))
            ? new AccessException(text)
            : new CliException(Transient.Any(reason => text.Contains(reason, StringComparison.Ordinal)) ? ExitCode.Unavailable : ExitCode.Failed, text);
    }

    private static string TextOf(byte[] error) => $"the source says: {RpbErrorResp.Parser.ParseFrom(error).Errmsg.ToStringUtf8()}";

    private static bool IsLost(Exception e, CancellationToken cancel) =>
        e is IOException or SocketException or InvalidDataException or AuthenticationException || (e is OperationCanceledException && !cancel.IsCancellationRequested);

    private CliException Lost(Exception e)
    {
        var (code, reason) = e switch
        {
            EndOfStreamException => (ExitCode.Unavailable, "it hung up (is that Riak's Protocol Buffers port, usually 8087?)"),
            OperationCanceledException => (ExitCode.Unavailable, "no answer in time"),
            AuthenticationException => (ExitCode.Failed, $"TLS: {(e.InnerException ?? e).Message}"),
            InvalidDataException or InvalidProtocolBufferException => (ExitCode.Failed, e.Message),
            _ => (ExitCode.Unavailable, e.Message),
        };
        var text = $"the source {Address} cannot be asked: {reason}";
        var failure = e is AuthenticationException ? new AccessException(text, e) : new CliException(code, text, e);
        Drop();
        turn++;
        return failure;
    }

    private void Drop()
    {
        connection?.Dispose();
        connection = null;
    }

    private static CancellationTokenSource Limited(TimeSpan time, CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(time);
        return limit;
    }
}
