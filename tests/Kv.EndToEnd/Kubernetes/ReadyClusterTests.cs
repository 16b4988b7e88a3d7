using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>A Cluster and two BucketTypes, applied: ready within two minutes, and they do what they say, from a pod and by <c>kubectl kv</c>.</summary>
[Collection(KubernetesCollection.Name)]
public sealed class ReadyClusterTests(OperatorRelease release, StandingCluster standing)
{
    private const string Url = "http://small:8098/types";

    [Fact]
    public async Task Cluster_Applied_IsReady_AndKeepsDataForPodsAndForTheCommandLine()
    {
        await release.RequireAsync();
        var storage = await standing.TakeAsync();

        var table = await storage.ShowAsync("ready");
        Assert.Matches(@"cluster\.kv\.dev/small +True +3 +3 ", table);
        Assert.Matches(@"buckettype\.kv\.dev/siblings +small +True +3 +true ", table);
        Assert.Matches(@"buckettype\.kv\.dev/plain +small +True +3 +false ", table);

        var application = await storage.ApplicationAsync();
        await application.RunAsync($"curl -sSf -XPUT -H 'content-type: text/plain' --data from-a-pod {Url}/plain/buckets/b/keys/k");
        Assert.Equal("from-a-pod", await application.RunAsync($"curl -sSf {Url}/plain/buckets/b/keys/k"));
        var got = await storage.KubectlKvAsync("get", "plain", "b", "k");
        Assert.True(got.Succeeded, got.ToString());
        Assert.Equal("from-a-pod", got.Output.TrimEnd());

        var put = await storage.KubectlKvAsync("put", "plain", "b", "k2", "by-kubectl");
        Assert.True(put.Succeeded, put.ToString());
        Assert.Equal("by-kubectl", await application.RunAsync($"curl -sSf {Url}/plain/buckets/b/keys/k2"));
        Assert.Equal(3, (await storage.KubectlKvAsync("get", "plain", "b", "absent")).ExitCode);

        // Two writes that do not know of each other: both are kept where the type says so, else the later one.
        foreach (var value in new[] { "one", "two" })
        {
            await application.RunAsync($"curl -sSf -XPUT -H 'content-type: text/plain' --data {value} {Url}/siblings/buckets/b/keys/k");
        }
        Assert.Equal("300", await application.RunAsync($"curl -sS -o /dev/null -w '%{{http_code}}' {Url}/siblings/buckets/b/keys/k"));
        var status = await storage.KubectlKvAsync("status");
        Assert.Contains("3 of 3 members up", status.Output, StringComparison.Ordinal);

        await storage.KubectlAsync("wait", "--for=condition=Ready", "kvbt/siblings", "kvbt/plain", "--timeout=10s");
        await storage.QuietAsync(TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(2));
        await PutRightAsync(storage);
    }

    /// <summary>What somebody changed or deleted by hand is as it was within seconds, and no pod notices.</summary>
    private static async Task PutRightAsync(StorageCluster storage)
    {
        var pods = await storage.PodUidsAsync();
        var service = await storage.KubectlAsync("get", "service", "small", "-o", "jsonpath={.metadata.uid}");
        await storage.KubectlAsync("delete", "service", "small", "--wait=false");
        await storage.KubectlAsync("patch", "configmap", "small-config", "--type=merge", "-p", """{"data":{"KV_STORES":"7"}}""");
        await storage.KubectlAsync("patch", "statefulset", "small", "--type=merge", "-p", """{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}""");
        var limit = TimeSpan.FromSeconds(30);
        await storage.UntilAsync(
            async () => await storage.KubectlAsync("get", "service", "small", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}") is { Length: > 0 } uid && uid != service, limit, "the Service is there again");
        await storage.UntilAsync(async () => await storage.KubectlAsync("get", "configmap", "small-config", "-o", "jsonpath={.data.KV_STORES}") == "20", limit, "the ConfigMap is as it was");
        await storage.UntilAsync(async () => await storage.KubectlAsync("get", "statefulset", "small", "-o", "jsonpath={.spec.updateStrategy.type}") == "OnDelete", limit, "the StatefulSet is as it was");
        Assert.Equal(pods, await storage.PodUidsAsync());
    }
}
