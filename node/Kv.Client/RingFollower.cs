using Grpc.Core;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>Learns the ring from any node that answers, and goes on asking for newer ones.</summary>
internal sealed class RingFollower : IAsyncDisposable
{
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Failures that each double the pause.</summary>
    private const int MostDoublings = 3;

    private readonly KvClientOptions _options;
    private readonly SessionPool _sessions;
    private readonly CancellationTokenSource _stopping = new();
    private volatile RingView _ring;
    private Task _following = Task.CompletedTask;

    private RingFollower(KvClientOptions options, SessionPool sessions, RingView ring)
    {
        _options = options;
        _sessions = sessions;
        _ring = ring;
    }

    /// <summary>The newest ring known; swapped whole.</summary>
    public RingView Ring => _ring;

    /// <summary>
    /// Asks the seeds in turn until one answers; throws <see cref="KvException"/> if none does within the options' timeout, or if one of them does not take the client for who it says it is
    /// and no other answers.
    /// </summary>
    public static async Task<RingFollower> StartAsync(KvClientOptions options, SessionPool sessions, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(options.Timeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        var failures = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                KvException? denied = null;
                foreach (var seed in options.Seeds)
                {
                    try
                    {
                        var ring = new RingView(await AskAsync(options, sessions.For(seed), afterVersion: 0, AskTimeout, either.Token).ConfigureAwait(false));
                        var follower = new RingFollower(options, sessions, ring);
                        follower._following = follower.FollowAsync();
                        return follower;
                    }
                    catch (RpcException failure) when (!either.IsCancellationRequested)
                    {
                        failures[seed] = failure.Status.Detail;
                        denied = failure.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied
                            ? new KvException(KvErrorCode.PermissionDenied, $"{seed}: {failure.Status.Detail}", isRetryable: false, isIndeterminate: false, failure)
                            : denied;
                    }
                    catch (KvException failure)
                    {
                        failures[seed] = failure.Message;
                    }
                }

                if (denied is not null)
                {
                    throw denied;
                }

                await Task.Delay(Pause, options.Time, either.Token).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or RpcException)
        {
            cancel.ThrowIfCancellationRequested();
            var why = failures.Count == 0 ? "no answer in time" : string.Join("; ", failures.Select(pair => $"{pair.Key}: {pair.Value}"));
            throw new KvException(KvErrorCode.Unavailable, $"none of the seeds told the ring: {why}", isRetryable: true, isIndeterminate: false, failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private static async Task<Proto.GetRingResponse> AskAsync(
        KvClientOptions options, NodeSession session, long afterVersion, TimeSpan timeout, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(timeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        using var call = session.Calls.GetRingAsync(new Proto.GetRingRequest { AfterVersion = afterVersion }, cancellationToken: either.Token);
        return await call.ResponseAsync.ConfigureAwait(false);
    }

    /// <summary>Never fails: ends when the follower does. A node that tells nothing newer is not asked again at once, however soon it said so.</summary>
    private async Task FollowAsync()
    {
        var failures = 0;
        for (var turn = 0; !_stopping.IsCancellationRequested; turn++)
        {
            try
            {
                var isNews = await AskNextAsync(turn).ConfigureAwait(false);
                failures = 0;
                if (isNews)
                {
                    continue;
                }
            }
            catch (Exception)
            {
                // Whatever it was: a client that no longer follows goes by an old ring for as long as it lives, and nobody would know.
                failures++;
            }

            await PauseAsync(Pause * (1 << Math.Clamp(failures - 1, 0, MostDoublings))).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a newer ring was told.</summary>
    private async Task<bool> AskNextAsync(int turn)
    {
        var ring = _ring;
        var session = _sessions.For(ring.Addresses[turn % ring.Addresses.Length]);
        var told = new RingView(await AskAsync(_options, session, ring.Version, LongPoll, _stopping.Token).ConfigureAwait(false));
        if (told.Version >= ring.Version)
        {
            _ring = told;
            _sessions.KeepOnly(told.Addresses.Concat(_options.Seeds).ToHashSet());
        }

        return told.Version > ring.Version;
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _options.Time, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopping: the loop sees it.
        }
    }
}
