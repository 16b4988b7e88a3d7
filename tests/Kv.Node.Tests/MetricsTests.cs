using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Net.Client;
using Kv.Node.Metrics;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>What `/metrics` of a real node tells. Processes of their own: instruments are a process's, and so nodes of one process show each other's.</summary>
public sealed partial class MetricsTests : IDisposable
{
    private const int Writes = 60;

    private readonly string root = Directory.CreateTempSubdirectory("kv-node-tests-").FullName;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_OfNodesThatLostOneForAWhile_TellHintsTransfersAndObjects()
    {
        var nodes = new List<NodeProcess>();
        try
        {
            for (var i = 1; i <= 4; i++)
            {
                nodes.Add(await StartAsync(i));
            }

            using (var admin = GrpcChannel.ForAddress("http://" + nodes[0].Endpoint("admin")))
            {
                await TestCluster.FormAsync(new Admin.AdminClient(admin), [.. nodes.Skip(1).Select(node => node.Endpoint("peer"))], None);
            }

            nodes[3].Kill();
            await PutAndGetAsync(nodes[0]);
            Assert.True(await SumAsync(nodes[..3], "kv_hints") > 0, "someone holds what belongs to the one that is gone");
            nodes[3].Dispose();
            nodes[3] = await StartAsync(4);
            // A transfer is over some time after its last object.
            await TestCluster.UntilAsync(async () => await SumAsync(nodes, "kv_hints") == 0 && await SumAsync(nodes, "kv_transfers_pending") == 0, None);

            Assert.True(await SumAsync(nodes, "kv_hints_returned_total") > 0);
            Assert.True(await SumAsync(nodes, "kv_transfers_completed_total", "kind=\"hinted\"") > 0);
            Assert.True(await SumAsync(nodes, "kv_transfers_completed_total", "kind=\"ownership\"") > 0);
            Assert.True(await SumAsync([nodes[3]], "kv_transfer_bytes_total", "direction=\"received\"") > await SumAsync([nodes[3]], "kv_transfer_objects_total", "direction=\"received\""));
            Assert.Equal(0, await SumAsync(nodes, "kv_ring_unsettled_partitions"));
            Assert.Equal(4 * 4, await SumAsync(nodes, "kv_members", "state=\"valid\""));
            await AssertOfObjectsAsync(nodes[0]);
        }
        finally
        {
            nodes.ForEach(node => node.Dispose());
        }
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static async Task AssertOfObjectsAsync(NodeProcess node)
    {
        var text = await ScrapeAsync(node);
        // What anti-entropy reads beside them is no get.
        Assert.Equal(Writes, Sum(text, "kv_object_siblings_count", "operation=\"get\""));
        Assert.Equal(Writes, Sum(text, "kv_object_siblings_sum", "operation=\"get\""));
        Assert.Equal(Writes * 1000, Sum(text, "kv_object_size_bytes_sum", "operation=\"get\""));
        Assert.Equal(Writes, Sum(text, "kv_object_size_bytes_bucket", "operation=\"get\"", "le=\"1024\""));
        Assert.Contains("service_name=\"kv-node\"", text, StringComparison.Ordinal);
        Assert.Contains("service_instance_id=\"node1\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown_service", text, StringComparison.Ordinal);

        // Each queue beside its bound.
        Assert.Equal(QueuesOf(text, "kv_queue_limit"), QueuesOf(text, "kv_queue_depth"));
        Assert.Equal(50_000, Sum(text, "kv_queue_limit", "queue=\"requests\""));
        Assert.InRange(Sum(text, "kv_queue_depth", "queue=\"requests\""), 0, 50_000);

        // What happens only when something goes wrong has no series yet.
        string[] rare = ["kv_quorum_failures_total", "kv_transfers_failed_total", "kv_hook_calls_total", "kv_hook_duration_seconds"];
        Assert.All(MetricNames.All.Where(metric => !rare.Contains(metric.Name)), metric => Assert.Contains($"# TYPE {metric.Name} {metric.Type}\n", text, StringComparison.Ordinal));
    }

    private static async Task PutAndGetAsync(NodeProcess node)
    {
        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        var kv = new Protos.Kv.V1.Kv.KvClient(channel);
        var content = new Content { Value = ByteString.CopyFrom(new byte[1000]) };
        for (var i = 0; i < Writes; i++)
        {
            var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8(i.ToString(CultureInfo.InvariantCulture)) };
            await TestCluster.UntilAsync(async () => (await kv.PutAsync(new PutRequest { Key = key, Content = content }, cancellationToken: None)).Error is null, None);
            Assert.Null((await kv.GetAsync(new GetRequest { Key = key }, cancellationToken: None)).Error);
        }
    }

    private static async Task<double> SumAsync(IReadOnlyList<NodeProcess> nodes, string name, params string[] labels)
    {
        var texts = await Task.WhenAll(nodes.Select(ScrapeAsync));
        return texts.Sum(text => Sum(text, name, labels));
    }

    private static double Sum(string text, string name, params string[] labels) => Series().Matches(text)
        .Where(series => series.Groups[1].Value == name && labels.All(label => series.Groups[2].Value.Contains(label, StringComparison.Ordinal)))
        .Sum(series => double.Parse(series.Groups[3].Value, CultureInfo.InvariantCulture));

    private static IReadOnlyList<string> QueuesOf(string text, string name) =>
        [.. Series().Matches(text).Where(series => series.Groups[1].Value == name).Select(series => Queue().Match(series.Groups[2].Value).Groups[1].Value).Order(StringComparer.Ordinal)];

    private static async Task<string> ScrapeAsync(NodeProcess node)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri($"http://{node.Endpoint("metrics")}/metrics"), None);
    }

    private async Task<NodeProcess> StartAsync(int number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"node{number}");
        var node = NodeProcess.Start(
            "--name", name, "--data", Path.Combine(root, name), "--stores=16", "--memory-limit=1Gi",
            "--grpc-port=0", "--peer-port=0", "--admin-port=0", "--riak-pb-port=0", "--riak-http-port=0", "--metrics-port=0");
        await node.ServingAsync(None);
        return node;
    }

    [GeneratedRegex("^(kv_[a-z_]+)(?:\\{([^}]*)\\})? ([^ \\n]+)", RegexOptions.Multiline)]
    private static partial Regex Series();

    [GeneratedRegex("queue=\"([a-z_]+)\"")]
    private static partial Regex Queue();
}
