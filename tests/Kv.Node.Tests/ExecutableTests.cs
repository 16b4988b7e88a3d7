using System.Globalization;
using Google.Protobuf;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>The real executable, with real data directories.</summary>
public sealed class ExecutableTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kv-node-tests-").FullName;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ThreeProcesses_OneKilled_KeepEveryAcknowledgedWrite()
    {
        var nodes = new List<NodeProcess>();
        try
        {
            for (var i = 1; i <= 3; i++)
            {
                nodes.Add(Start(i));
                await nodes[^1].ServingAsync(None);
            }

            using (var admin = GrpcChannel.ForAddress("http://" + nodes[0].Endpoint("admin")))
            {
                await TestCluster.FormAsync(new Admin.AdminClient(admin), [.. nodes.Skip(1).Select(node => node.Endpoint("peer"))], None);
            }

            await PutAsync(nodes[0], 0, 300);
            nodes[2].Kill();
            await PutAsync(nodes[1], 300, 400);
            await AssertAllThereAsync(nodes[0], 400);

            var before = nodes[2].Endpoint("peer");
            nodes[2].Dispose();
            nodes[2] = Start(3);
            await nodes[2].ServingAsync(None);
            Assert.NotEqual(before, nodes[2].Endpoint("peer"));
            await AssertAllThereAsync(nodes[2], 400);

            foreach (var node in nodes)
            {
                Assert.Equal(0, await node.TerminateAsync(None));
            }

            // One may come back at another address, since the others tell the cluster; all at once find each other by the seeds. Here each has the address of another.
            var ports = nodes.Select(node => node.Endpoint("peer").Split(':')[1]).ToList();
            var seeds = string.Join(',', nodes.Select(node => node.Endpoint("peer")));
            for (var i = 0; i < 3; i++)
            {
                nodes[i].Dispose();
                nodes[i] = Start(i + 1, ports[(i + 1) % 3], seeds);
            }

            await Task.WhenAll(nodes.Select(node => node.ServingAsync(None)));
            foreach (var node in nodes)
            {
                using var admin = GrpcChannel.ForAddress("http://" + node.Endpoint("admin"));
                var client = new Admin.AdminClient(admin);
                await TestCluster.UntilAsync(async () => (await client.GetClusterAsync(new GetClusterRequest(), cancellationToken: None)).Members.All(member => member.Up), None);
            }

            await AssertAllThereAsync(nodes[1], 400);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException(string.Join("\n----\n", nodes.Select(node => node.Output)), e);
        }
        finally
        {
            nodes.ForEach(node => node.Dispose());
        }
    }

    [Fact]
    public async Task SettingsThatWillNotDo_EndItWithEveryProblem()
    {
        using var node = NodeProcess.Start("--peer-port", "x", "--stores", "0");
        Assert.Equal(2, await node.EndedAsync(None));
        Assert.Contains("kv-node: --peer-port: peer-port must be", node.Output, StringComparison.Ordinal);
        Assert.Contains("kv-node: data is required", node.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondProcess_OnTheSameData_IsRefused()
    {
        using var first = Start(1);
        await first.ServingAsync(None);
        using var second = Start(1);
        Assert.Equal(1, await second.EndedAsync(None));
        Assert.Contains("cannot be taken", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamagedIdentity_RefusesToStart()
    {
        using (var node = Start(1))
        {
            await node.ServingAsync(None);
            Assert.Equal(0, await node.TerminateAsync(None));
        }

        var file = Directory.GetFiles(Path.Combine(root, "node1", "state")).Single(path => Path.GetFileName(path).StartsWith("node-id", StringComparison.Ordinal));
        var bytes = await File.ReadAllBytesAsync(file, None);
        bytes[^1] ^= 0xff;
        await File.WriteAllBytesAsync(file, bytes, None);

        using var again = Start(1);
        Assert.Equal(1, await again.EndedAsync(None));
        Assert.Contains("node-id", again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("node-id.state")]
    [InlineData("cluster-document.state")]
    [InlineData("vnode-actors.state")]
    public async Task StateThatWasDeleted_WithStoresThatAreFull_RefusesToStart(string file)
    {
        using (var node = Start(1))
        {
            await node.ServingAsync(None);
            using (var admin = GrpcChannel.ForAddress("http://" + node.Endpoint("admin")))
            {
                await TestCluster.FormAsync(new Admin.AdminClient(admin), [], None);
            }

            await PutAsync(node, 0, 3);
            node.Kill();
        }

        var state = Path.Combine(root, "node1", "state");
        if (file.Length == 0)
        {
            Directory.Delete(state, recursive: true);
        }
        else
        {
            File.Delete(Path.Combine(state, file));
        }

        for (var attempt = 0; attempt < 2; attempt++)
        {
            using var again = Start(1);
            Assert.Equal(1, await again.EndedAsync(None));
            Assert.Contains($"and no `{(file.Length == 0 ? "node-id" : file[..^6])}` in its `state`", again.Output, StringComparison.Ordinal);
            Assert.Contains("Put `state` back", again.Output, StringComparison.Ordinal);
        }
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private NodeProcess Start(int number, string peerPort = "0", string seeds = "") => NodeProcess.Start(
        "--name",
        string.Create(CultureInfo.InvariantCulture, $"node{number}"),
        "--data",
        Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"node{number}")),
        "--grpc-port=0",
        "--peer-port=" + peerPort,
        "--admin-port=0",
        "--riak-pb-port=0",
        "--riak-http-port=0",
        "--metrics-port=0",
        "--seeds=" + seeds,
        "--stores=16",
        "--memory-limit=1Gi");

    private static async Task PutAsync(NodeProcess node, int from, int to)
    {
        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        var kv = new Protos.Kv.V1.Kv.KvClient(channel);
        await Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = None }, async (i, cancel) =>
        {
            // What was refused in a way that may be repeated is repeated: only acknowledged writes count.
            Error? error;
            do
            {
                var put = await kv.PutAsync(new PutRequest { Key = KeyOf(i), Content = new Content { Value = ByteString.CopyFromUtf8(ValueOf(i)) } }, cancellationToken: cancel);
                error = put.Error;
            }
            while (error is { Retryable: true });
            Assert.Null(error);
        });
    }

    private static async Task AssertAllThereAsync(NodeProcess node, int count)
    {
        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        var kv = new Protos.Kv.V1.Kv.KvClient(channel);
        for (var i = 0; i < count; i++)
        {
            GetResponse get;
            do
            {
                get = await kv.GetAsync(new GetRequest { Key = KeyOf(i) }, cancellationToken: None);
            }
            while (get.Error is { Retryable: true });
            Assert.True(get.Object is not null, $"key {i} is gone: {get.Error}");
            Assert.Equal(ValueOf(i), get.Object.Siblings.Single().Value.ToStringUtf8());
        }
    }

    private static string ValueOf(int i) => string.Create(CultureInfo.InvariantCulture, $"value of {i}");

    private static Key KeyOf(int i) => new()
    {
        Bucket = ByteString.CopyFromUtf8("kept"),
        Key_ = ByteString.CopyFromUtf8(i.ToString(CultureInfo.InvariantCulture)),
    };
}
