using Kv.Core.Objects;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>
/// Takes an operation to a node of its key's preference list, and to another where the first cannot serve it and asking again is safe: a read always, a
/// write as long as no replica can have it (or the caller allows more).
/// </summary>
internal sealed class OperationRouter(KvClientOptions options, SessionPool sessions, RingFollower follower)
{
    private const int MaxRanked = 16;
    private static readonly TimeSpan PauseAfterRefusal = TimeSpan.FromMilliseconds(10);

    public async Task<Proto.SessionResponse> SendAsync(ObjectKey key, Proto.SessionRequest request, TimeSpan? timeout, CancellationToken cancel)
    {
        var time = options.Time;
        var deadline = time.GetTimestamp() + (long)((timeout ?? options.Timeout).TotalSeconds * time.TimestampFrequency);
        var isRead = request.OperationCase is Proto.SessionRequest.OperationOneofCase.Get or Proto.SessionRequest.OperationOneofCase.FetchDataType;
        var nodes = Candidates(follower.Ring, key);
        KvException? failure = null;
        for (var attempt = 0; attempt < options.MaxAttempts; attempt++)
        {
            var session = sessions.For(nodes[attempt % nodes.Length]);
            try
            {
                var response = await session.SendAsync(request, deadline, cancel).ConfigureAwait(false);
                if (ErrorOf(response) is not { } error)
                {
                    return response;
                }

                failure = ClientCodec.Exception(error);
            }
            catch (SessionLostException lost)
            {
                failure = Exception(lost, isRead);
            }

            var mayRepeat = failure.IsRetryable && (isRead || !failure.IsIndeterminate || (options.RetryIndeterminateWrites && IsAlikeTwice(request)));
            if (!mayRepeat || time.GetTimestamp() >= deadline)
            {
                break;
            }

            if (failure.Code is KvErrorCode.Overload or KvErrorCode.NotReady)
            {
                await Task.Delay(PauseAfterRefusal * (attempt + 1), time, cancel).ConfigureAwait(false);
            }
        }

        throw failure!;
    }

    /// <summary>The nodes to ask, best first: as the ring ranks them, but those that did not answer here just now last.</summary>
    private string[] Candidates(RingView ring, ObjectKey key)
    {
        Span<int> ranked = stackalloc int[MaxRanked];
        var count = ring.Rank(key, ranked);
        var wanted = Math.Min(count, options.MaxAttempts);
        var chosen = new string[wanted];
        var at = 0;
        for (var pass = 0; pass < 2 && at < wanted; pass++)
        {
            for (var i = 0; i < count && at < wanted; i++)
            {
                var endpoint = ring.Endpoint(ranked[i]);
                var seemsUp = !sessions.For(endpoint).IsBackingOff;
                if (seemsUp == (pass == 0))
                {
                    chosen[at++] = endpoint;
                }
            }
        }

        return chosen;
    }

    /// <summary>Whether a write that is done twice leaves what it does once, but for siblings: a counter would count twice, and two keys would be made.</summary>
    private static bool IsAlikeTwice(Proto.SessionRequest request) => request.OperationCase switch
    {
        Proto.SessionRequest.OperationOneofCase.Put => !request.Put.Key.Key_.IsEmpty,
        Proto.SessionRequest.OperationOneofCase.Delete => true,
        _ => false,
    };

    private static Proto.Error? ErrorOf(Proto.SessionResponse response) => response.OperationCase switch
    {
        Proto.SessionResponse.OperationOneofCase.Get => response.Get.Error,
        Proto.SessionResponse.OperationOneofCase.Put => response.Put.Error,
        Proto.SessionResponse.OperationOneofCase.Delete => response.Delete.Error,
        Proto.SessionResponse.OperationOneofCase.FetchDataType => response.FetchDataType.Error,
        Proto.SessionResponse.OperationOneofCase.UpdateDataType => response.UpdateDataType.Error,
        _ => new Proto.Error { Message = "the node sent an answer without content" },
    };

    private static KvException Exception(SessionLostException lost, bool isRead) => new(
        lost.IsDenied ? KvErrorCode.PermissionDenied : lost.TimedOut ? KvErrorCode.Timeout : KvErrorCode.Unavailable,
        lost.Message,
        isRetryable: !lost.IsDenied,
        isIndeterminate: !isRead && lost.WasSent,
        lost);
}
