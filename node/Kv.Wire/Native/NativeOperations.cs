using Kv.Cluster;
using Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary>One operation from message to message, by call or in a session. <c>limit</c> is what the call's own deadline leaves.</summary>
internal static class NativeOperations
{
    public static async ValueTask<GetResponse> GetAsync(KvClient client, GetRequest message, TimeSpan? limit, CancellationToken cancel)
    {
        var (request, error) = NativeCodec.Decode(message, limit);
        return NativeCodec.EncodeGet(request is null ? new KvOutcome.Failed(error!) : await client.ExecuteAsync(request, cancel));
    }

    public static async ValueTask<PutResponse> PutAsync(KvClient client, PutRequest message, TimeSpan? limit, CancellationToken cancel)
    {
        var (request, error) = NativeCodec.Decode(message, limit, out var generated);
        return NativeCodec.EncodePut(request is null ? new KvOutcome.Failed(error!) : await client.ExecuteAsync(request, cancel), generated);
    }

    public static async ValueTask<DeleteResponse> DeleteAsync(KvClient client, DeleteRequest message, TimeSpan? limit, CancellationToken cancel)
    {
        var (request, error) = NativeCodec.Decode(message, limit);
        return NativeCodec.EncodeDelete(request is null ? new KvOutcome.Failed(error!) : await client.ExecuteAsync(request, cancel));
    }
}
