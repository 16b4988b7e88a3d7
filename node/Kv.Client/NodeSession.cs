using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>
/// The way to one node: operations of all callers go through one `Session` stream, as many to a frame as have queued up, and come back in any
/// order. Opened by the first operation and opened anew after a loss, at growing intervals while the node does not answer. Bounded: past
/// `MaxInFlightPerNode` callers wait their turn. For any number of threads.
/// </summary>
internal sealed class NodeSession : IAsyncDisposable
{
    private const int MaxOperationsPerFrame = 64;
    private const int MaxFrameBytes = 256 * 1024;
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(1);

    private readonly GrpcChannel _channel;
    private readonly TimeProvider _time;
    private readonly int _inFlightLimit;
    private readonly SemaphoreSlim _places; // not disposed: operations that end with the session still give theirs back
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _opening = new(); // guards _stream, _denial, _backOff and _retryAt
    private volatile bool _isLeaving;
    private Stream? _stream;
    private RpcException? _denial;
    private TimeSpan _backOff = FirstBackOff;
    private long _retryAt;
    private long _lastId;

    public NodeSession(string endpoint, KvClientOptions options)
    {
        Endpoint = endpoint;
        _time = options.Time;
        _inFlightLimit = options.MaxInFlightPerNode;
        _places = new SemaphoreSlim(_inFlightLimit);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = TimeSpan.FromSeconds(1),
            InitialHttp2StreamWindowSize = 8 * 1024 * 1024,
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
        };
        if (options.Tls is { } tls)
        {
            handler.SslOptions = tls;
        }

        _channel = GrpcChannel.ForAddress($"{(options.Tls is null ? "http" : "https")}://{endpoint}", new GrpcChannelOptions
        {
            HttpHandler = handler,
            MaxReceiveMessageSize = 128 * 1024 * 1024,
            MaxSendMessageSize = 128 * 1024 * 1024,
            DisposeHttpClient = true,
        });
        Calls = new Proto.Kv.KvClient(options.Credentials is { } credentials ? _channel.Intercept(credentials.AddTo) : _channel.CreateCallInvoker());
    }

    public string Endpoint { get; }

    /// <summary>For the calls that are not operations on one key.</summary>
    public Proto.Kv.KvClient Calls { get; }

    /// <summary>Whether the last attempt to reach the node failed and it is too early for another.</summary>
    public bool IsBackingOff
    {
        get
        {
            lock (_opening)
            {
                return _stream is null && _time.GetTimestamp() < _retryAt;
            }
        }
    }

    /// <summary>Sends an operation and awaits its answer. Throws <see cref="SessionLostException"/> if the node could not be asked or did not answer.</summary>
    public async Task<Proto.SessionResponse> SendAsync(Proto.SessionRequest request, long deadline, CancellationToken cancel)
    {
        if (_isLeaving)
        {
            throw Unreachable();
        }

        if (!_places.Wait(0, CancellationToken.None) && !await _places.WaitAsync(Left(deadline), cancel).ConfigureAwait(false))
        {
            throw new SessionLostException($"too many operations are under way at {Endpoint}", wasSent: false, timedOut: true);
        }

        var operation = new PendingOperation(WithId(request, (ulong)Interlocked.Increment(ref _lastId)), deadline, _places);
        try
        {
            return await OpenStream().SendAsync(operation, cancel).ConfigureAwait(false);
        }
        finally
        {
            operation.Leave();
        }
    }

    /// <summary>Ends operations whose time is over; called every now and then by one timer for all sessions.</summary>
    public void ExpireOverdue()
    {
        Stream? stream;
        lock (_opening)
        {
            stream = _stream;
        }

        stream?.ExpireOverdue(_time.GetTimestamp());
    }

    /// <summary>Begins no more operations and closes when those under way have ended; those that have not when <paramref name="atOnce"/> or a minute ends fail.</summary>
    public async Task CloseAsync(CancellationToken atOnce)
    {
        _isLeaving = true;
        var free = await TakeAllPlacesAsync(atOnce).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
        if (free > 0)
        {
            // Who still waits for one learns that the session is gone.
            _places.Release(free);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Stream? stream;
        lock (_opening)
        {
            stream = _stream;
        }

        if (stream is not null)
        {
            await stream.Ended.ConfigureAwait(false);
        }

        _channel.Dispose();
        _stopping.Dispose();
    }

    private async Task<int> TakeAllPlacesAsync(CancellationToken atOnce)
    {
        using var limit = new CancellationTokenSource(LongestDrain, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(atOnce, limit.Token);
        var taken = 0;
        try
        {
            for (; taken < _inFlightLimit; taken++)
            {
                await _places.WaitAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The rest fails with the stream.
        }

        return taken;
    }

    // A message of its own for each attempt: one that is still being written to another node's connection must not change.
    private static Proto.SessionRequest WithId(Proto.SessionRequest request, ulong id) => request.OperationCase switch
    {
        Proto.SessionRequest.OperationOneofCase.Get => new Proto.SessionRequest { Id = id, Get = request.Get },
        Proto.SessionRequest.OperationOneofCase.Put => new Proto.SessionRequest { Id = id, Put = request.Put },
        Proto.SessionRequest.OperationOneofCase.FetchDataType => new Proto.SessionRequest { Id = id, FetchDataType = request.FetchDataType },
        Proto.SessionRequest.OperationOneofCase.UpdateDataType => new Proto.SessionRequest { Id = id, UpdateDataType = request.UpdateDataType },
        _ => new Proto.SessionRequest { Id = id, Delete = request.Delete },
    };

    private TimeSpan Left(long deadline)
    {
        var left = _time.GetElapsedTime(_time.GetTimestamp(), deadline);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private Stream OpenStream()
    {
        lock (_opening)
        {
            if (_stream is { } open)
            {
                return open;
            }

            if (_stopping.IsCancellationRequested || _time.GetTimestamp() < _retryAt)
            {
                throw _denial is { } denial ? Denied(denial) : Unreachable();
            }

            return _stream = new Stream(this);
        }
    }

    private SessionLostException Unreachable() => new($"{Endpoint} cannot be reached", wasSent: false, timedOut: false);

    private SessionLostException Denied(RpcException denial) => new($"{Endpoint}: {denial.Status.Detail}", wasSent: false, timedOut: false, denial) { IsDenied = true };

    private void OnAnswering()
    {
        lock (_opening)
        {
            _backOff = FirstBackOff;
            _retryAt = 0;
        }
    }

    private void OnLost(Stream stream, RpcException? denial)
    {
        lock (_opening)
        {
            if (!ReferenceEquals(_stream, stream))
            {
                return;
            }

            _stream = null;
            _denial = denial;
            _retryAt = _time.GetTimestamp() + (long)(_backOff.TotalSeconds * _time.TimestampFrequency);
            _backOff = _backOff * 2 < LongestBackOff ? _backOff * 2 : LongestBackOff;
        }
    }

    /// <summary>One stream, from its opening to its loss.</summary>
    private sealed class Stream
    {
        private readonly NodeSession _session;
        private readonly AsyncDuplexStreamingCall<Proto.SessionRequests, Proto.SessionResponses> _call;
        private readonly Channel<PendingOperation> _outgoing = Channel.CreateUnbounded<PendingOperation>(new UnboundedChannelOptions { SingleReader = true });
        private readonly ConcurrentDictionary<ulong, PendingOperation> _pending = new();
        private int _answered;

        public Stream(NodeSession session)
        {
            _session = session;
            _call = session.Calls.Session(cancellationToken: session._stopping.Token);
            Ended = RunAsync();
        }

        public Task Ended { get; }

        public async Task<Proto.SessionResponse> SendAsync(PendingOperation operation, CancellationToken cancel)
        {
            Enqueue(operation);
            try
            {
                return await operation.Task.WaitAsync(cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _pending.TryRemove(operation.Request.Id, out _);
                operation.TryDrop();
                throw;
            }
        }

        public void ExpireOverdue(long now)
        {
            foreach (var (_, operation) in _pending)
            {
                if (now >= operation.Deadline)
                {
                    Fail(operation, "no answer in time", timedOut: true, inner: null);
                }
            }
        }

        private async Task RunAsync()
        {
            await Task.Yield();
            Exception? why = null;
            var reading = ReadAsync();
            var writing = WriteAsync(reading);
            try
            {
                await reading.ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or HttpRequestException or IOException or ObjectDisposedException)
            {
                why = failure;
            }

            var denial = _answered == 0 && why is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied } denied ? denied : null;
            _session.OnLost(this, denial);
            _outgoing.Writer.TryComplete();
            _call.Dispose();
            await writing.ConfigureAwait(false);
            FailAll(why, denial);
        }

        private void FailAll(Exception? why, RpcException? denial)
        {
            while (_outgoing.Reader.TryRead(out var unsent))
            {
                unsent.Leave();
            }

            foreach (var (id, operation) in _pending)
            {
                if (denial is null)
                {
                    Fail(operation, why is RpcException rpc ? rpc.Status.Detail : "the connection was lost", timedOut: false, why);
                }
                else if (_pending.TryRemove(id, out _))
                {
                    operation.TrySetException(_session.Denied(denial));
                }
            }
        }

        private void Enqueue(PendingOperation operation)
        {
            // What is queued holds one of the session's places, so the queue is bounded too.
            operation.Enter();
            _pending[operation.Request.Id] = operation;
            if (!_outgoing.Writer.TryWrite(operation))
            {
                operation.Leave();
                Fail(operation, "the connection was lost", timedOut: false, inner: null);
            }
        }

        private async Task ReadAsync()
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                if (Interlocked.Exchange(ref _answered, 1) == 0)
                {
                    _session.OnAnswering();
                }

                foreach (var response in _call.ResponseStream.Current.Responses)
                {
                    if (_pending.TryRemove(response.Id, out var operation))
                    {
                        operation.TrySetResult(response);
                    }
                }
            }
        }

        private async Task WriteAsync(Task reading)
        {
            try
            {
                while (await _outgoing.Reader.WaitToReadAsync().ConfigureAwait(false))
                {
                    if (NextFrame() is { Requests.Count: > 0 } frame)
                    {
                        await _call.RequestStream.WriteAsync(frame).ConfigureAwait(false);
                    }
                }
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or InvalidOperationException or HttpRequestException or IOException or ObjectDisposedException)
            {
                // The reader meets the same loss and fails what is pending, with the node's reason where it gave one. Disposing the call makes sure that it does, and takes the reason away.
                await Task.WhenAny(reading, Task.Delay(LongestGoodbye, _session._time)).ConfigureAwait(false);
                _call.Dispose();
            }
        }

        private Proto.SessionRequests NextFrame()
        {
            var frame = new Proto.SessionRequests();
            var bytes = 0;
            while (frame.Requests.Count < MaxOperationsPerFrame && bytes < MaxFrameBytes && _outgoing.Reader.TryRead(out var operation))
            {
                operation.Leave();
                if (!operation.TrySend())
                {
                    continue;
                }

                frame.Requests.Add(operation.Request);
                bytes += operation.Request.Put?.Content.Value.Length ?? operation.Request.UpdateDataType?.CalculateSize() ?? 0;
            }

            return frame;
        }

        private void Fail(PendingOperation operation, string message, bool timedOut, Exception? inner)
        {
            if (_pending.TryRemove(operation.Request.Id, out _))
            {
                var wasSent = !operation.TryDrop();
                operation.TrySetException(new SessionLostException($"{_session.Endpoint}: {message}", wasSent, timedOut, inner));
            }
        }
    }
}
