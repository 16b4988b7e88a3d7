using Grpc.Core;
using Kv.Protos.Kv.V1;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>kv.v1 of a <see cref="StubNode"/>.</summary>
internal sealed class StubData(StubNode node) : Protos.Kv.V1.Kv.KvBase
{
    public override Task<GetResponse> Get(GetRequest request, ServerCallContext context) => Task.FromResult(node.Reply<GetResponse>(request));

    public override Task<PutResponse> Put(PutRequest request, ServerCallContext context) => Task.FromResult(node.Reply<PutResponse>(request));

    public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context) => Task.FromResult(node.Reply<DeleteResponse>(request));

    public override Task<FetchDataTypeResponse> FetchDataType(FetchDataTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<FetchDataTypeResponse>(request));

    public override Task<UpdateDataTypeResponse> UpdateDataType(UpdateDataTypeRequest request, ServerCallContext context) => Task.FromResult(node.Reply<UpdateDataTypeResponse>(request));

    public override async Task ListKeys(ListKeysRequest request, IServerStreamWriter<ListKeysResponse> responseStream, ServerCallContext context)
    {
        foreach (var key in node.Reply<ListKeysResponse>(request).Keys)
        {
            await responseStream.WriteAsync(new ListKeysResponse { Keys = { key } });
        }
    }

    public override async Task ListBuckets(ListBucketsRequest request, IServerStreamWriter<ListBucketsResponse> responseStream, ServerCallContext context) =>
        await responseStream.WriteAsync(node.Reply<ListBucketsResponse>(request));
}
