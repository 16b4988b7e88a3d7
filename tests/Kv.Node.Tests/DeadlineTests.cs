using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>Calls whose callers give up while they are answered.</summary>
public sealed class DeadlineTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kv-deadline-tests-").FullName;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallsThatEndAtTheirDeadline_AreEndedByOneAlone()
    {
        using var node = NodeProcess.Start(
            "--name=late", "--data", Path.Combine(root, "late"), "--grpc-port=0", "--peer-port=0", "--admin-port=0", "--riak-http-port=off", "--riak-pb-port=off", "--metrics-port=off", "--stores=16", "--memory-limit=1Gi");
        await node.ServingAsync(None);
        using (var admin = GrpcChannel.ForAddress("http://" + node.Endpoint("admin")))
        {
            await TestCluster.FormAsync(new Admin.AdminClient(admin), [], None);
        }

        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        var kv = new Protos.Kv.V1.Kv.KvClient(channel);
        var late = 0;
        await Parallel.ForAsync(0, 3000, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = None }, async (i, cancel) =>
        {
            var put = new PutRequest { Key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8((i % 50).ToString(CultureInfo.InvariantCulture)) }, Content = new Content { Value = ByteString.CopyFrom(new byte[20_000]) }, ReturnBody = true };
            try
            {
                await kv.PutAsync(put, deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(1 + (i % 30)), cancellationToken: cancel);
            }
            catch (RpcException)
            {
                Interlocked.Increment(ref late);
            }
        });

        Assert.NotEqual(0, late);
        Assert.Equal(0, await node.TerminateAsync(None));

        // A client that hangs up, also while its message is read, is no error of the node.
        Assert.DoesNotContain(" fail: ", node.Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}
