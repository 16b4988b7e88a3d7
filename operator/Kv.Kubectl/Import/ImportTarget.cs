using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Kv.Kubectl.Connections;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Import;

/// <summary>What an import asks of the cluster that it fills, by any number of callers at once. What fails is a <see cref="CliException"/>, and a <see cref="KeyRefusedException"/> where it is known to be final.</summary>
internal sealed class ImportTarget(NodeCaller caller)
{
    private static readonly HashSet<Error.Types.Code> Final = [Error.Types.Code.ObjectTooLarge, Error.Types.Code.TooManySiblings, Error.Types.Code.InvalidRequest];

    public async Task<string> ClusterNameAsync(CancellationToken cancel) => (await AskAsync(
        (client, options, _) => client.GetRingAsync(new GetRingRequest(), options), _ => null, isRepeatable: true, cancel)).ClusterName;

    /// <summary>By name; those that are not active too.</summary>
    public async Task<IReadOnlyDictionary<string, BucketType>> BucketTypesAsync(CancellationToken cancel) => (await AskAsync(
        (client, options, _) => client.ListBucketTypesAsync(new ListBucketTypesRequest(), options), _ => null, isRepeatable: true, cancel)).BucketTypes.ToDictionary(type => type.Name);

    public async Task<JsonObject> BucketPropsAsync(BucketId bucket, CancellationToken cancel) => Parse((await AskAsync(
        (client, options, _) => client.GetBucketPropsAsync(new GetBucketPropsRequest { BucketType = bucket.Type, Bucket = bucket.Name }, options), _ => null, isRepeatable: true, cancel)).PropsJson);

    /// <summary>Gives all that is in force afterwards.</summary>
    public async Task<JsonObject> SetBucketPropsAsync(BucketId bucket, JsonObject change, CancellationToken cancel)
    {
        var request = new SetBucketPropsRequest { BucketType = bucket.Type, Bucket = bucket.Name, PropsJson = change.ToJsonString() };
        return Parse((await AskAsync((client, options, _) => client.SetBucketPropsAsync(request, options), _ => null, isRepeatable: true, cancel)).PropsJson);
    }

    public Task<GetResponse> GetAsync(BucketId bucket, ByteString key, CancellationToken cancel) => AskAsync(
        (client, options, milliseconds) => client.GetAsync(new GetRequest { Key = Key(bucket, key), TimeoutMilliseconds = milliseconds }, options),
        answer => answer.Error,
        isRepeatable: true,
        cancel);

    /// <summary>Whether it was written: not where there was to be no value, and one is there.</summary>
    public async Task<bool> PutAsync(BucketId bucket, ByteString key, Content content, ByteString context, bool mustBeAbsent, CancellationToken cancel)
    {
        var request = new PutRequest { Key = Key(bucket, key), Content = content, Context = context, IfNoneMatch = mustBeAbsent };
        var answer = await AskAsync(
            (client, options, milliseconds) =>
            {
                request.TimeoutMilliseconds = milliseconds;
                return client.PutAsync(request, options);
            },
            answer => IsThere(answer.Error) ? null : answer.Error,
            isRepeatable: false,
            cancel);
        return !IsThere(answer.Error);
    }

    public Task<FetchDataTypeResponse> FetchAsync(BucketId bucket, ByteString key, bool ofAllReplicas, CancellationToken cancel)
    {
        var request = new FetchDataTypeRequest { Key = Key(bucket, key) };
        if (ofAllReplicas)
        {
            // By themselves, the bucket's properties might have fewer suffice, or a "not found" be no answer.
            (request.Pr, request.NotfoundOk, request.BasicQuorum) = (All, true, false);
        }

        return AskAsync(
            (client, options, milliseconds) =>
            {
                request.TimeoutMilliseconds = milliseconds;
                return client.FetchDataTypeAsync(request, options);
            },
            answer => answer.Error,
            isRepeatable: true,
            cancel);
    }

    /// <summary>Whether a delete of it is still remembered, which a fetch of its data type does not tell.</summary>
    public async Task<bool> IsDeletedAsync(BucketId bucket, ByteString key, bool ofAllReplicas, CancellationToken cancel)
    {
        var request = new GetRequest { Key = Key(bucket, key), HeadOnly = true };
        if (ofAllReplicas)
        {
            (request.Pr, request.NotfoundOk, request.BasicQuorum) = (All, true, false);
        }

        var answer = await AskAsync(
            (client, options, milliseconds) =>
            {
                request.TimeoutMilliseconds = milliseconds;
                return client.GetAsync(request, options);
            },
            answer => answer.Error,
            isRepeatable: true,
            cancel);
        return !answer.TombstoneContext.IsEmpty;
    }

    public Task UpdateAsync(BucketId bucket, ByteString key, DataTypeOperation operation, CancellationToken cancel)
    {
        var request = new UpdateDataTypeRequest { Key = Key(bucket, key), Operation = operation };
        return AskAsync(
            (client, options, milliseconds) =>
            {
                request.TimeoutMilliseconds = milliseconds;
                return client.UpdateDataTypeAsync(request, options);
            },
            answer => answer.Error,
            isRepeatable: false,
            cancel);
    }

    private static Quorum All => new() { Word = Quorum.Types.Word.All };

    private async Task<T> AskAsync<T>(
        Func<Protos.Kv.V1.Kv.KvClient, CallOptions, uint, AsyncUnaryCall<T>> call, Func<T, Error?> errorOf, bool isRepeatable, CancellationToken cancel)
    {
        try
        {
            var answer = await caller.DataAsync(call, answer => IsFinal(errorOf(answer)) ? null : errorOf(answer), isRepeatable, cancel);
            return errorOf(answer) is { } error ? throw new KeyRefusedException(CallErrors.Of(error).Message) : answer;
        }
        catch (CliException e) when (e.InnerException is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied })
        {
            throw new AccessException($"the cluster says: {e.Message}", e);
        }
    }

    private static bool IsFinal(Error? error) => error is not null && Final.Contains(error.Code);

    private static bool IsThere(Error? error) => error?.Code == Error.Types.Code.MatchFound;

    private static Key Key(BucketId bucket, ByteString key) => new() { BucketType = bucket.Type, Bucket = bucket.Name, Key_ = key };

    private static JsonObject Parse(string props) => JsonNode.Parse(props)!.AsObject();
}
