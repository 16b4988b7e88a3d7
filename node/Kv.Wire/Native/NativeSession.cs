using System.IO.Pipelines;
using Grpc.Core;
using Kv.Cluster;
using Kv.Protos.Kv.V1;
using Kv.Wire.Peer;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Native;

/// <summary>
/// One client's pipelined session: requests are begun as they are read, and answers go back in frames of whatever is ready. At the bound of unanswered
/// requests, and while there is no memory for its next message, the session is not read, so that a client that is too quick waits and not the node's memory.
/// <paramref name="whyDenied"/> is asked of each request, and <paramref name="mustEnd"/> before each is begun: where it says so no more is, and what was begun is answered.
/// </summary>
internal sealed partial class NativeSession(
    KvClient client, NativeDataTypes dataTypes, NativeOptions options, RequestMemory memory, Func<bool> mustEnd, Func<SessionRequest, string?> whyDenied, ILogger log)
{
    private readonly AsyncSignal answered = new();
    private readonly AsyncSignal hasRoom = new();

    // Guards the four fields below.
    private readonly Lock gate = new();
    private readonly Queue<(SessionResponse Response, int Bytes)> answers = new();
    private long answerBytes;
    private int unanswered;
    private bool readAll;

    /// <summary>What a message has taken of the node's memory, until the last of its requests is answered.</summary>
    private sealed class Room(MemoryShare share, long bytes)
    {
        private int users = 1;

        public void Enter() => Interlocked.Increment(ref users);

        public void Leave()
        {
            if (Interlocked.Decrement(ref users) == 0)
            {
                share.Release(bytes);
            }
        }
    }

    /// <summary>Serves until the client has closed its side and has all answers, or the call ends. <paramref name="body"/> is what <paramref name="reader"/> reads.</summary>
    public async Task ServeAsync(
        DueBody body, IAsyncStreamReader<SessionRequests> reader, IServerStreamWriter<SessionResponses> writer, CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);

        // The writer's wait must end with the call, also after the client has closed its side.
        using var wake = ending.Token.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), answered);
        var writing = WriteAsync(writer, ending);
        try
        {
            await ReadAsync(body, reader, ending.Token);
        }
        catch
        {
            await ending.CancelAsync();
            throw;
        }
        finally
        {
            lock (gate)
            {
                readAll = true;
            }

            answered.Set();
            await writing;
        }
    }

    private async Task ReadAsync(DueBody body, IAsyncStreamReader<SessionRequests> reader, CancellationToken cancel)
    {
        using var wake = cancel.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), hasRoom);
        while (await GrpcPrefix.PeekAsync(body, cancel) is { } prefix)
        {
            if (prefix is { IsCompressed: false } && prefix.MessageBytes > options.MaxMessageBytes)
            {
                await RefuseAsync(body, prefix, cancel);
                continue;
            }

            var room = await TakeRoomAsync(prefix, cancel);
            try
            {
                body.IsDue = true;
                if (!await reader.MoveNext(cancel))
                {
                    return;
                }

                body.IsDue = false;
                foreach (var request in reader.Current.Requests)
                {
                    if (mustEnd())
                    {
                        return;
                    }

                    await BeginAsync(request, room, cancel);
                }
            }
            finally
            {
                room.Leave();
            }
        }
    }

    /// <summary>Answers each request of a message that is too long, and the session goes on; it ends where there are more of them than it may have under way.</summary>
    private async ValueTask RefuseAsync(PipeReader body, GrpcPrefix prefix, CancellationToken cancel)
    {
        var ids = await new PassedOver(body).ReadIdsAsync(prefix.MessageBytes, options.SessionRequests, cancel) ?? throw new RpcException(UnaryAdmission.WhyNot(prefix, options)!.Value);
        var refused = NativeCodec.EncodePut(new KvOutcome.Failed(new KvError.ObjectTooLarge(prefix.MessageBytes, options.MaxObjectBytes)), null);
        foreach (var id in ids)
        {
            await WaitToBeginAsync(cancel);
            Enqueue(new SessionResponse { Id = id, Put = refused });
        }
    }

    /// <summary>Waits for as long as it takes: the client sees a stream that is not read.</summary>
    private async ValueTask<Room> TakeRoomAsync(GrpcPrefix prefix, CancellationToken cancel)
    {
        if (UnaryAdmission.WhyNot(prefix, options) is { } status)
        {
            throw new RpcException(status);
        }

        var bytes = (long)prefix.MessageBytes * RequestMemory.CopiesOfWrite;
        while (!await memory.Clients.TakeAsync(bytes, cancel))
        {
            cancel.ThrowIfCancellationRequested();
        }

        return new Room(memory.Clients, bytes);
    }

    private async ValueTask BeginAsync(SessionRequest request, Room room, CancellationToken cancel)
    {
        await WaitToBeginAsync(cancel);
        room.Enter();
        _ = AnswerAsync(request, room, cancel);
    }

    /// <summary>Not for ever: what waits here holds memory, and a client that takes no answers would hold it for as long as it likes.</summary>
    private async ValueTask WaitToBeginAsync(CancellationToken cancel)
    {
        while (!TryBegin())
        {
            using var limit = new CancellationTokenSource(options.StallTimeout);
            using var wake = limit.Token.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), hasRoom);
            await hasRoom.WaitAsync();
            cancel.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
            {
                throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the session's answers are not taken"));
            }
        }
    }

    private bool TryBegin()
    {
        lock (gate)
        {
            if (unanswered >= options.SessionRequests || answerBytes > options.SessionAnswerBytes)
            {
                return false;
            }

            unanswered++;
            return true;
        }
    }

    private async Task AnswerAsync(SessionRequest request, Room room, CancellationToken cancel)
    {
        SessionResponse response;
        try
        {
            response = await ExecuteAsync(request, cancel);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (OutOfMemoryException)
        {
            response = Failed(request, NativeErrors.ToProto(new KvError.Overload(Indeterminate: IsWrite(request))));
        }
        catch (Exception bug)
        {
            // A request that fails in an unforeseen way is answered all the same; the call's interceptor logs what is thrown elsewhere.
            LogUnexpected(bug, request.OperationCase);
            response = Failed(request, NativeErrors.Internal(isWrite: IsWrite(request)));
        }
        finally
        {
            room.Leave();
        }

        Enqueue(response);
    }

    private void Enqueue(SessionResponse response)
    {
        var bytes = response.CalculateSize();
        lock (gate)
        {
            answers.Enqueue((response, bytes));
            answerBytes += bytes;
        }

        answered.Set();
    }

    private async ValueTask<SessionResponse> ExecuteAsync(SessionRequest request, CancellationToken cancel)
    {
        if (whyDenied(request) is { } denied)
        {
            return Failed(request, NativeErrors.Denied(denied));
        }

        switch (request.OperationCase)
        {
            case SessionRequest.OperationOneofCase.Get:
                return new SessionResponse { Id = request.Id, Get = await NativeOperations.GetAsync(client, request.Get, null, cancel) };
            case SessionRequest.OperationOneofCase.Put:
                return new SessionResponse { Id = request.Id, Put = await NativeOperations.PutAsync(client, request.Put, null, cancel) };
            case SessionRequest.OperationOneofCase.Delete:
                return new SessionResponse { Id = request.Id, Delete = await NativeOperations.DeleteAsync(client, request.Delete, null, cancel) };
            case SessionRequest.OperationOneofCase.FetchDataType:
                return new SessionResponse { Id = request.Id, FetchDataType = await dataTypes.FetchAsync(request.FetchDataType, null, cancel) };
            case SessionRequest.OperationOneofCase.UpdateDataType:
                return new SessionResponse { Id = request.Id, UpdateDataType = await dataTypes.UpdateAsync(request.UpdateDataType, null, cancel) };
            default:
                return Failed(request, NativeErrors.ToProto(new KvError.InvalidRequest("the request has no operation")));
        }
    }

    private static SessionResponse Failed(SessionRequest request, Error error) => request.OperationCase switch
    {
        SessionRequest.OperationOneofCase.Put => new SessionResponse { Id = request.Id, Put = new PutResponse { Error = error } },
        SessionRequest.OperationOneofCase.Delete => new SessionResponse { Id = request.Id, Delete = new DeleteResponse { Error = error } },
        SessionRequest.OperationOneofCase.FetchDataType => new SessionResponse { Id = request.Id, FetchDataType = new FetchDataTypeResponse { Error = error } },
        SessionRequest.OperationOneofCase.UpdateDataType => new SessionResponse { Id = request.Id, UpdateDataType = new UpdateDataTypeResponse { Error = error } },
        _ => new SessionResponse { Id = request.Id, Get = new GetResponse { Error = error } },
    };

    private static bool IsWrite(SessionRequest request) =>
        request.OperationCase is SessionRequest.OperationOneofCase.Put or SessionRequest.OperationOneofCase.Delete or SessionRequest.OperationOneofCase.UpdateDataType;

    private async Task WriteAsync(IServerStreamWriter<SessionResponses> writer, CancellationTokenSource ending)
    {
        try
        {
            var frame = new SessionResponses();
            while (!ending.IsCancellationRequested)
            {
                if (!TakeFrame(frame, out var isLast))
                {
                    if (isLast)
                    {
                        return;
                    }

                    await answered.WaitAsync();
                    continue;
                }

                hasRoom.Set();
                await writer.WriteAsync(frame, ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or IOException or RpcException)
        {
            // The client hung up: the reader sees it too.
            await ending.CancelAsync();
        }
    }

    private bool TakeFrame(SessionResponses frame, out bool isLast)
    {
        frame.Responses.Clear();
        var bytes = 0L;
        lock (gate)
        {
            while (frame.Responses.Count < options.FrameAnswers && bytes < options.FrameBytes && answers.TryDequeue(out var answer))
            {
                frame.Responses.Add(answer.Response);
                bytes += answer.Bytes;
            }

            unanswered -= frame.Responses.Count;
            answerBytes -= bytes;
            isLast = readAll && unanswered == 0;
        }

        return frame.Responses.Count > 0;
    }

    [LoggerMessage(2402, LogLevel.Error, "a {Operation} of a session failed")]
    private partial void LogUnexpected(Exception bug, SessionRequest.OperationOneofCase operation);
}
