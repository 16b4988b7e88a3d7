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
    KvClient client, NativeDataTypes dataTypes, NativeOptions options, RequestMemory memory, MemoryShare? connection, Func<bool> mustEnd, Func<SessionRequest, string?> whyDenied, ILogger log)
{
    private static readonly MessageShape Shape = MessageShape.Of(SessionRequests.Descriptor);

    private readonly AsyncSignal answered = new();
    private readonly AsyncSignal hasRoom = new();

    // Guards the four fields below.
    private readonly Lock gate = new();
    private readonly Queue<(SessionResponse Response, int Bytes)> answers = new();
    private readonly SessionWindow window = new(options);
    private bool isWriting;
    private bool readAll;

    /// <summary>What a message has taken of the node's memory, until the last of its requests is answered.</summary>
    private sealed class SharedRoom(Room room)
    {
        private int users = 1;

        public void Enter() => Interlocked.Increment(ref users);

        public void Leave()
        {
            if (Interlocked.Decrement(ref users) == 0)
            {
                room.Dispose();
            }
        }
    }

    /// <summary>Serves until the client has closed its side and has all answers, or the call ends. <paramref name="body"/> is what <paramref name="reader"/> reads.</summary>
    public async Task ServeAsync(
        CallBody body, IAsyncStreamReader<SessionRequests> reader, IServerStreamWriter<SessionResponses> writer, CancellationToken cancel)
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

    private async Task ReadAsync(CallBody body, IAsyncStreamReader<SessionRequests> reader, CancellationToken cancel)
    {
        using var wake = cancel.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), hasRoom);
        while (await body.PrefixAsync(cancel) is { } prefix)
        {
            if (prefix is { IsCompressed: false } && prefix.MessageBytes > options.MaxMessageBytes)
            {
                await RefuseAsync(body, prefix, new KvError.ObjectTooLarge(prefix.MessageBytes, options.MaxObjectBytes), cancel);
                continue;
            }

            var room = await TakeRoomAsync(prefix, cancel);
            var shared = new SharedRoom(room);
            try
            {
                if (await WhyNotParsedAsync(body, prefix, room, cancel) is { } error)
                {
                    await RefuseAsync(body, prefix, error, cancel);
                }
                else if (!await reader.MoveNext(cancel) || !await BeginAllAsync(reader.Current, shared, cancel))
                {
                    return;
                }
            }
            finally
            {
                shared.Leave();
            }
        }
    }

    /// <summary>Answers each request of a message that is not taken, and the session goes on; it ends where there are more of them than it may have under way.</summary>
    private async ValueTask RefuseAsync(PipeReader body, GrpcPrefix prefix, KvError error, CancellationToken cancel)
    {
        var requests = await new PassedOver(body).ReadAsync(prefix.MessageBytes, options.SessionRequests, cancel)
            ?? throw (UnaryAdmission.WhyNot(prefix, options) is { } status ? new RpcException(status) : NativeErrors.ToStatus(error));
        foreach (var (id, operation) in requests)
        {
            await WaitToBeginAsync(cancel);
            Enqueue(Failed(id, operation, NativeErrors.ToProto(error)));
        }
    }

    /// <summary>Waits for as long as it takes: the client sees a stream that is not read.</summary>
    private async ValueTask<Room> TakeRoomAsync(GrpcPrefix prefix, CancellationToken cancel)
    {
        if (UnaryAdmission.WhyNot(prefix, options) is { } status)
        {
            throw new RpcException(status);
        }

        var room = new Room(memory, connection);
        while (!await room.TakeMessageAsync(prefix.MessageBytes, cancel))
        {
            cancel.ThrowIfCancellationRequested();
        }

        return room;
    }

    /// <summary>Once the message is there: why its fields find no room. Null where they do.</summary>
    private async ValueTask<KvError?> WhyNotParsedAsync(CallBody body, GrpcPrefix prefix, Room room, CancellationToken cancel)
    {
        if (await body.MessageAsync(prefix, options.StallTimeout, options.LeastBytesPerSecond, cancel) is not { Length: > RequestMemory.FreeBytes } message)
        {
            return null;
        }

        var (fields, requests) = Shape.Count(message) ?? throw new RpcException(UnaryAdmission.Unreadable);
        return room.TakeFields(fields, Math.Min(requests, options.SessionRequests)) switch
        {
            FieldsVerdict.TooMany => new KvError.InvalidRequest(MessageLimits.TooManyFields),
            FieldsVerdict.NoRoom => new KvError.Overload(Indeterminate: false),
            _ => null,
        };
    }

    /// <summary>False where the session is to end.</summary>
    private async ValueTask<bool> BeginAllAsync(SessionRequests message, SharedRoom room, CancellationToken cancel)
    {
        foreach (var request in message.Requests)
        {
            if (mustEnd())
            {
                return false;
            }

            await WaitToBeginAsync(cancel);
            room.Enter();
            _ = AnswerAsync(request, room, cancel);
        }

        return true;
    }

    /// <summary>Not for ever where it is the client that is waited for: what waits here holds memory, and one that takes no answers would hold it for as long as it likes.</summary>
    private async ValueTask WaitToBeginAsync(CancellationToken cancel)
    {
        while (!TryBegin())
        {
            using var limit = new CancellationTokenSource(options.StallTimeout);
            using var wake = limit.Token.UnsafeRegister(static state => ((AsyncSignal)state!).Set(), hasRoom);
            await hasRoom.WaitAsync();
            cancel.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested && Volatile.Read(ref isWriting))
            {
                throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the session's answers are not taken"));
            }
        }
    }

    private bool TryBegin()
    {
        lock (gate)
        {
            return window.TryBegin();
        }
    }

    private async Task AnswerAsync(SessionRequest request, SharedRoom room, CancellationToken cancel)
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
            response = Failed(request, NativeErrors.ToProto(new KvError.Overload(Indeterminate: IsWrite(request.OperationCase))));
        }
        catch (Exception bug)
        {
            // A request that fails in an unforeseen way is answered all the same; the call's interceptor logs what is thrown elsewhere.
            LogUnexpected(bug, request.OperationCase);
            response = Failed(request, NativeErrors.Internal(isWrite: IsWrite(request.OperationCase)));
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
            if (!window.HasRoom(bytes))
            {
                response = LetGo(response);
                bytes = response.CalculateSize();
            }

            window.Add(bytes);
            answers.Enqueue((response, bytes));
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

    private static SessionResponse Failed(SessionRequest request, Error error) => Failed(request.Id, request.OperationCase, error);

    private static SessionResponse Failed(ulong id, SessionRequest.OperationOneofCase operation, Error error) => operation switch
    {
        SessionRequest.OperationOneofCase.Put => new SessionResponse { Id = id, Put = new PutResponse { Error = error } },
        SessionRequest.OperationOneofCase.Delete => new SessionResponse { Id = id, Delete = new DeleteResponse { Error = error } },
        SessionRequest.OperationOneofCase.FetchDataType => new SessionResponse { Id = id, FetchDataType = new FetchDataTypeResponse { Error = error } },
        SessionRequest.OperationOneofCase.UpdateDataType => new SessionResponse { Id = id, UpdateDataType = new UpdateDataTypeResponse { Error = error } },
        _ => new SessionResponse { Id = id, Get = new GetResponse { Error = error } },
    };

    /// <summary>In place of an answer that is not kept. The operations of requests and answers have the same numbers.</summary>
    private static SessionResponse LetGo(SessionResponse response)
    {
        var operation = (SessionRequest.OperationOneofCase)response.OperationCase;
        return Failed(response.Id, operation, NativeErrors.ToProto(new KvError.Overload(Indeterminate: IsWrite(operation))));
    }

    private static bool IsWrite(SessionRequest.OperationOneofCase operation) =>
        operation is SessionRequest.OperationOneofCase.Put or SessionRequest.OperationOneofCase.Delete or SessionRequest.OperationOneofCase.UpdateDataType;

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

            window.Take(frame.Responses.Count, bytes);
            isWriting = frame.Responses.Count > 0;
            isLast = readAll && window.IsEmpty;
        }

        return frame.Responses.Count > 0;
    }

    [LoggerMessage(2402, LogLevel.Error, "a {Operation} of a session failed")]
    private partial void LogUnexpected(Exception bug, SessionRequest.OperationOneofCase operation);
}
