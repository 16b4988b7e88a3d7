using System.Runtime.CompilerServices;
using Grpc.Core;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>
/// A client of a whole cluster: it learns the ring, follows its changes, and sends each operation to a node that holds the key. One instance serves an
/// application; for any number of threads. Failures are <see cref="KvException"/>; a cancelled call throws <see cref="OperationCanceledException"/>, and a
/// write cancelled on its way may have taken effect.
/// </summary>
public sealed class KvClusterClient : IAsyncDisposable
{
    private static readonly GetOptions DefaultGet = new();
    private static readonly PutOptions DefaultPut = new();
    private static readonly DeleteOptions DefaultDelete = new();
    private static readonly DataTypeFetchOptions DefaultFetch = new();
    private static readonly DataTypeUpdateOptions DefaultUpdate = new();

    private readonly KvClientOptions _options;
    private readonly SessionPool _sessions;
    private readonly RingFollower _follower;
    private readonly OperationRouter _router;

    private KvClusterClient(KvClientOptions options, SessionPool sessions, RingFollower follower)
    {
        _options = options;
        _sessions = sessions;
        _follower = follower;
        _router = new OperationRouter(options, sessions, follower);
    }

    /// <summary>The name of the cluster.</summary>
    public string ClusterName => _follower.Ring.ClusterName;

    /// <summary>The version of the ring that requests go by now.</summary>
    public long RingVersion => _follower.Ring.Version;

    /// <summary>Connects to a cluster through any of its nodes. Throws <see cref="ArgumentException"/> for settings that make no sense, all named at once.</summary>
    public static async Task<KvClusterClient> ConnectAsync(KvClientOptions options, CancellationToken cancel = default)
    {
        options.Validate();
        var sessions = new SessionPool(options);
        try
        {
            return new KvClusterClient(options, sessions, await RingFollower.StartAsync(options, sessions, cancel).ConfigureAwait(false));
        }
        catch
        {
            await sessions.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads an object.</summary>
    public async ValueTask<GetResult> GetAsync(ObjectKey key, GetOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DefaultGet;
        var request = ClientCodec.Get(key, options);
        request.TimeoutMilliseconds = Milliseconds(options);
        var response = await _router.SendAsync(key, new Proto.SessionRequest { Get = request }, options.Timeout, cancel).ConfigureAwait(false);
        return ClientCodec.Result(response.Get);
    }

    /// <summary>Reads several objects at once; results in the order of the keys. Fails with the first failure, after all have ended.</summary>
    public async ValueTask<IReadOnlyList<GetResult>> MultiGetAsync(IReadOnlyList<ObjectKey> keys, GetOptions? options = null, CancellationToken cancel = default)
    {
        // Each goes to the nodes that hold it; those for one node share frames of its stream.
        var gets = new Task<GetResult>[keys.Count];
        for (var i = 0; i < gets.Length; i++)
        {
            gets[i] = GetAsync(keys[i], options, cancel).AsTask();
        }

        return await Task.WhenAll(gets).ConfigureAwait(false);
    }

    /// <summary>Writes an object. With an empty key the server makes one, which the result tells.</summary>
    public async ValueTask<PutResult> PutAsync(ObjectKey key, KvValue value, PutOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DefaultPut;
        var request = ClientCodec.Put(key, value, options);
        request.TimeoutMilliseconds = Milliseconds(options);
        var response = await _router.SendAsync(key, new Proto.SessionRequest { Put = request }, options.Timeout, cancel).ConfigureAwait(false);
        return ClientCodec.Result(response.Put, key);
    }

    /// <summary>Deletes an object. Returns whether there was one, as far as the server looked: with a context it does not.</summary>
    public async ValueTask<bool> DeleteAsync(ObjectKey key, DeleteOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DefaultDelete;
        var request = ClientCodec.Delete(key, options);
        request.TimeoutMilliseconds = Milliseconds(options);
        var response = await _router.SendAsync(key, new Proto.SessionRequest { Delete = request }, options.Timeout, cancel).ConfigureAwait(false);
        return !response.Delete.NotFound;
    }

    /// <summary>Reads a key of a bucket type with a data type.</summary>
    public async ValueTask<DataTypeView> FetchDataTypeAsync(ObjectKey key, DataTypeFetchOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DefaultFetch;
        var request = DataTypeCodec.Fetch(key, options);
        request.TimeoutMilliseconds = Milliseconds(options);
        var response = await _router.SendAsync(key, new Proto.SessionRequest { FetchDataType = request }, options.Timeout, cancel).ConfigureAwait(false);
        return DataTypeCodec.View(response.FetchDataType);
    }

    /// <summary>
    /// Changes a key of a bucket type with a data type; see <see cref="DataTypeChange"/>. With an empty key the server makes one, which the result tells. An update that failed as indeterminate may have
    /// been done: a counter counts it twice if it is sent again.
    /// </summary>
    public async ValueTask<DataTypeUpdateResult> UpdateDataTypeAsync(ObjectKey key, DataTypeOperation operation, DataTypeUpdateOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DefaultUpdate;
        var request = DataTypeCodec.Update(key, operation, options);
        request.TimeoutMilliseconds = Milliseconds(options);
        var response = await _router.SendAsync(key, new Proto.SessionRequest { UpdateDataType = request }, options.Timeout, cancel).ConfigureAwait(false);
        return DataTypeCodec.Result(response.UpdateDataType, key);
    }

    /// <summary>All keys of a bucket, each once, in no order. Expensive: it reads the whole cluster.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ListKeysAsync(
        string bucketType, ReadOnlyMemory<byte> bucket, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var request = new Proto.ListKeysRequest { BucketType = bucketType, Bucket = Google.Protobuf.ByteString.CopyFrom(bucket.Span) };
        using var call = AnySession().Calls.ListKeys(request, cancellationToken: cancel);
        while (await NextAsync(call.ResponseStream, cancel).ConfigureAwait(false))
        {
            foreach (var key in call.ResponseStream.Current.Keys)
            {
                yield return key.Memory;
            }
        }
    }

    /// <summary>All buckets of a type that have keys, each once, in no order. Expensive.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ListBucketsAsync(string bucketType, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var call = AnySession().Calls.ListBuckets(new Proto.ListBucketsRequest { BucketType = bucketType }, cancellationToken: cancel);
        while (await NextAsync(call.ResponseStream, cancel).ConfigureAwait(false))
        {
            foreach (var bucket in call.ResponseStream.Current.Buckets)
            {
                yield return bucket.Memory;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _follower.DisposeAsync().ConfigureAwait(false);
        await _sessions.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<bool> NextAsync<T>(IAsyncStreamReader<T> stream, CancellationToken cancel)
    {
        try
        {
            return await stream.MoveNext(cancel).ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            cancel.ThrowIfCancellationRequested();
            var retryable = failure.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted;
            throw new KvException(Code(failure.StatusCode), failure.Status.Detail, retryable, isIndeterminate: false, failure);
        }
    }

    private static KvErrorCode Code(StatusCode status) => status switch
    {
        // Cancelled: the member left, and its channel was closed.
        StatusCode.Unavailable or StatusCode.Cancelled => KvErrorCode.Unavailable,
        StatusCode.DeadlineExceeded => KvErrorCode.Timeout,
        StatusCode.ResourceExhausted => KvErrorCode.Overload,
        StatusCode.InvalidArgument => KvErrorCode.InvalidRequest,
        StatusCode.NotFound => KvErrorCode.UnknownBucketType,
        StatusCode.PermissionDenied or StatusCode.Unauthenticated => KvErrorCode.PermissionDenied,
        _ => KvErrorCode.Unknown,
    };

    private NodeSession AnySession()
    {
        var addresses = _follower.Ring.Addresses;
        foreach (var address in addresses)
        {
            if (_sessions.For(address) is { IsBackingOff: false } session)
            {
                return session;
            }
        }

        return _sessions.For(addresses[0]);
    }

    private uint Milliseconds(RequestOptions options) => (uint)Math.Clamp((options.Timeout ?? _options.Timeout).TotalMilliseconds, 1, uint.MaxValue);
}
