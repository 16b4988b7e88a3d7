using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;
using Kv.Wire.Access;
using Kv.Wire.Admin;
using Microsoft.Extensions.Logging;
using BucketType = Kv.Protos.Kv.V1.BucketType;

namespace Kv.Wire.Native;

/// <summary>
/// The native front end: the gRPC service `kv.v1.Kv` over <see cref="KvClient"/>. What goes wrong with an operation is in its answer; a gRPC status
/// is for the call as such. Safe for any number of calls at once.
/// </summary>
public sealed class KvService(
    KvClient client, ClusterAdmin admin, ClusterState state, RingView ring, NativeOptions options, RequestMemory memory, AccessControl access, TimeProvider time, ILogger<KvService> log)
    : Protos.Kv.V1.Kv.KvBase, IDisposable
{
    private readonly NativeDataTypes dataTypes = new(client, state);
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Ends sessions and waits for a newer ring: neither ends by itself, and a server that stops waits for its calls.</summary>
    public void Stop() => stopping.Cancel();

    public void Dispose() => stopping.Dispose();

    public override Task<GetResponse> Get(GetRequest request, ServerCallContext context) =>
        NativeOperations.GetAsync(client, request, Limit(context), context.CancellationToken).AsTask();

    public override Task<PutResponse> Put(PutRequest request, ServerCallContext context) =>
        NativeOperations.PutAsync(client, request, Limit(context), context.CancellationToken).AsTask();

    public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context) =>
        NativeOperations.DeleteAsync(client, request, Limit(context), context.CancellationToken).AsTask();

    public override Task<FetchDataTypeResponse> FetchDataType(FetchDataTypeRequest request, ServerCallContext context) =>
        dataTypes.FetchAsync(request, Limit(context), context.CancellationToken).AsTask();

    public override Task<UpdateDataTypeResponse> UpdateDataType(UpdateDataTypeRequest request, ServerCallContext context) =>
        dataTypes.UpdateAsync(request, Limit(context), context.CancellationToken).AsTask();

    public override async Task<MultiGetResponse> MultiGet(MultiGetRequest request, ServerCallContext context)
    {
        if (request.Gets.Count > options.MultiGetKeys)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"{request.Gets.Count} gets, at most {options.MultiGetKeys} go in one call"));
        }

        var limit = Limit(context);
        var pending = new List<Task<GetResponse>>(request.Gets.Count);
        foreach (var get in request.Gets)
        {
            pending.Add(NativeOperations.GetAsync(client, get, limit, context.CancellationToken).AsTask());
        }

        return Bounded(await Task.WhenAll(pending));
    }

    /// <summary>As many of the answers as go in one message, and the first in any case.</summary>
    private MultiGetResponse Bounded(GetResponse[] answers)
    {
        var response = new MultiGetResponse();
        var bytes = 0L;
        foreach (var answer in answers)
        {
            var more = answer.CalculateSize();
            var fits = response.Gets.Count == 0 || bytes + more <= options.MaxMessageBytes;
            bytes += fits ? more : 0;
            response.Gets.Add(fits ? answer : new GetResponse { Error = NativeErrors.AnswerFull });
        }

        return response;
    }

    public override async Task Session(IAsyncStreamReader<SessionRequests> requestStream, IServerStreamWriter<SessionResponses> responseStream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping.Token);
        try
        {
            var user = NativeAccess.UserOf(context);
            var http = context.GetHttpContext();
            var session = new NativeSession(
                client, dataTypes, options, memory, UnaryAdmission.ShareOf(http, memory), () => NativeAccess.MustEnd(access, user), request => NativeAccess.WhyDenied(access, user, request), log);
            await session.ServeAsync(CallBody.Of(http), requestStream, responseStream, ending.Token);
            if (NativeAccess.MustEnd(access, user))
            {
                throw NativeAccess.Ended();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            throw new RpcException(stopping.IsCancellationRequested
                ? new Status(StatusCode.Unavailable, "the node stops")
                : new Status(StatusCode.Cancelled, "the client hung up"));
        }
    }

    public override async Task ListKeys(ListKeysRequest request, IServerStreamWriter<ListKeysResponse> responseStream, ServerCallContext context)
    {
        var pages = client.ListKeysAsync(
            BucketOf(request.BucketType, request.Bucket), ListTimeout(request.TimeoutMilliseconds, context), context.CancellationToken);
        await ForEachPageAsync(pages, async page =>
        {
            var response = new ListKeysResponse();
            foreach (var key in page)
            {
                response.Keys.Add(NativeCodec.Wrap(key));
            }

            await responseStream.WriteAsync(response, context.CancellationToken);
        });
    }

    public override async Task ListBuckets(ListBucketsRequest request, IServerStreamWriter<ListBucketsResponse> responseStream, ServerCallContext context)
    {
        var pages = client.ListBucketsAsync(TypeOf(request.BucketType), ListTimeout(request.TimeoutMilliseconds, context), context.CancellationToken);
        await ForEachPageAsync(pages, async page =>
        {
            var response = new ListBucketsResponse();
            foreach (var bucket in page)
            {
                response.Buckets.Add(NativeCodec.Wrap(bucket));
            }

            await responseStream.WriteAsync(response, context.CancellationToken);
        });
    }

    public override Task<ListBucketTypesResponse> ListBucketTypes(ListBucketTypesRequest request, ServerCallContext context)
    {
        var document = state.Current.Document ?? throw NotInCluster();
        var response = new ListBucketTypesResponse();
        response.BucketTypes.Add(new BucketType { Name = ObjectKey.DefaultType, Active = true, PropsJson = PropsText.Of(document.DefaultTypeProps) });
        foreach (var type in document.BucketTypes.Values)
        {
            response.BucketTypes.Add(new BucketType
            {
                Name = type.Name,
                Active = type.State == BucketTypeState.Active,
                PropsJson = PropsText.Of(type.Props),
            });
        }

        return Task.FromResult(response);
    }

    public override Task<GetBucketPropsResponse> GetBucketProps(GetBucketPropsRequest request, ServerCallContext context)
    {
        var props = AdminErrors.ValueOf(admin.GetBucketProps(BucketOf(request.BucketType, request.Bucket)));
        return Task.FromResult(new GetBucketPropsResponse { PropsJson = PropsText.Of(props) });
    }

    /// <summary>Waits for the change on this node as long as it takes: a client that has gone would not know whether it was made.</summary>
    public override async Task<SetBucketPropsResponse> SetBucketProps(SetBucketPropsRequest request, ServerCallContext context)
    {
        var props = AdminErrors.ValueOf(await admin.SetBucketPropsAsync(BucketOf(request.BucketType, request.Bucket), request.PropsJson, CancellationToken.None));
        return new SetBucketPropsResponse { PropsJson = PropsText.Of(props) };
    }

    public override async Task<GetRingResponse> GetRing(GetRingRequest request, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping.Token);
        return await ring.GetAsync(request.AfterVersion, options.RingWait, time, ending.Token) ?? throw NotInCluster();
    }

    private static async Task ForEachPageAsync(
        IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> pages, Func<IReadOnlyList<ReadOnlyMemory<byte>>, Task> write)
    {
        try
        {
            await foreach (var page in pages)
            {
                await write(page);
            }
        }
        catch (ListingFailedException e)
        {
            throw NativeErrors.ToStatus(e.Error);
        }
    }

    private static BucketName BucketOf(string type, ByteString bucket) => bucket.IsEmpty || bucket.Length > ObjectKey.MaxBucketBytes
        ? throw Invalid(string.Create(CultureInfo.InvariantCulture, $"the bucket must have 1 to {ObjectKey.MaxBucketBytes} bytes"))
        : new BucketName(TypeOf(type), bucket.Memory);

    private static string TypeOf(string name)
    {
        if (name.Length > ObjectKey.MaxTypeBytes)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"the bucket type has {name.Length} letters, at most {ObjectKey.MaxTypeBytes} are allowed"));
        }

        return name.Length == 0 ? ObjectKey.DefaultType : name;
    }

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static RpcException NotInCluster() => new(new Status(StatusCode.Unavailable, "not ready: the node is not in a cluster"));

    /// <summary>What the call's own deadline leaves; null where it has none.</summary>
    private TimeSpan? Limit(ServerCallContext context)
    {
        if (CallDeadline.Of(context) is not { } deadline)
        {
            return null;
        }

        var left = deadline.Left(time);
        return left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
    }

    private TimeSpan? ListTimeout(uint milliseconds, ServerCallContext context) => NativeCodec.Timeout(milliseconds, Limit(context));
}
