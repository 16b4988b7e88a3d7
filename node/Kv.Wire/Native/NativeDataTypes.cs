using System.Diagnostics;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary>Fetch and update of data types from message to message, by call or in a session. <c>limit</c> is what the call's own deadline leaves.</summary>
internal sealed class NativeDataTypes(KvClient client, ClusterState state)
{
    public async ValueTask<FetchDataTypeResponse> FetchAsync(FetchDataTypeRequest message, TimeSpan? limit, CancellationToken cancel)
    {
        var (request, error) = NativeDataTypeCodec.Decode(message, limit);
        var props = request is null ? null : PropsOf(request.Key, out error);
        return (error is null ? await client.ExecuteAsync(request!, cancel) : new KvOutcome.Failed(error)) switch
        {
            KvOutcome.NotFound => new FetchDataTypeResponse { Kind = KindOf(props!) },
            KvOutcome.Found found => Fetched(found.Object, props!),
            KvOutcome.Failed failed => new FetchDataTypeResponse { Error = NativeErrors.ToProto(failed.Error) },
            var outcome => throw new UnreachableException($"a fetch ended in {outcome}"),
        };
    }

    public async ValueTask<UpdateDataTypeResponse> UpdateAsync(UpdateDataTypeRequest message, TimeSpan? limit, CancellationToken cancel)
    {
        var (request, error) = NativeDataTypeCodec.Decode(message, limit, out var generated);
        var props = request is null ? null : PropsOf(request.Key, out error);
        return (error is null ? await client.ExecuteAsync(request!, cancel) : new KvOutcome.Failed(error)) switch
        {
            KvOutcome.Stored stored => Updated(stored.Object, props!, generated),
            KvOutcome.Failed failed => new UpdateDataTypeResponse { Error = NativeErrors.ToProto(failed.Error) },
            var outcome => throw new UnreachableException($"an update ended in {outcome}"),
        };
    }

    private static FetchDataTypeResponse Fetched(KvObject found, BucketProps props)
    {
        if (DataTypeObject.Read(found, props, out var problem) is { } held)
        {
            return new FetchDataTypeResponse { Kind = KindOf(props), Value = NativeDataTypeCodec.Value(held), Context = NativeDataTypeCodec.Context(held) };
        }

        var reason = (problem as DataTypeProblem.NotOfThisType)?.Reason;
        return new FetchDataTypeResponse { Error = NativeErrors.ToProto(new KvError.InvalidRequest($"the key holds no state of its bucket type's data type: {reason}")) };
    }

    private static UpdateDataTypeResponse Updated(KvObject? stored, BucketProps props, byte[]? generated)
    {
        var response = new UpdateDataTypeResponse { GeneratedKey = NativeCodec.Wrap(generated) };
        if (stored is not null && DataTypeObject.Read(stored, props, out _) is { } held)
        {
            response.Value = NativeDataTypeCodec.Value(held);
            response.Context = NativeDataTypeCodec.Context(held);
        }

        return response;
    }

    private static Protos.Kv.V1.DataTypeKind KindOf(BucketProps props) => NativeDataTypeCodec.Kind(DataTypeObject.KindOf(props)!.Value);

    /// <summary>The properties of a bucket with a data type; an error for any other.</summary>
    private BucketProps? PropsOf(ObjectKey key, out KvError? error)
    {
        var document = state.Current.Document;
        var props = document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket));
        error = document is null ? new KvError.NotReady("the node is in no cluster")
            : props is null ? new KvError.UnknownBucketType(key.BucketType)
            : DataTypeObject.KindOf(props) is null ? new KvError.InvalidRequest("the bucket type has no data type")
            : null;
        return props;
    }
}
