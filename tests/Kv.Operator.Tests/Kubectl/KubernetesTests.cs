using System.Security.Cryptography;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>A cluster on Kubernetes is found by its pods and reached through the API server.</summary>
public sealed class KubernetesTests
{
    [Fact]
    public async Task Values_GoThroughAPortForward_WholeInBothDirections()
    {
        var value = RandomNumberGenerator.GetBytes(3_000_000);
        await using var node = await StubNode.StartAsync(request => request is PutRequest ? new PutResponse() : Samples.Found(Samples.Sibling("t", ByteString.CopyFrom(value))));
        await using var server = await StubApiServer.StartAsync();
        server.AddPod("example-0", "example", ready: true, node.Address);

        var put = await KvRun.WithAsync(["put", "b", "k", "-", .. server.Options], value);
        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(value, Assert.IsType<PutRequest>(Assert.Single(node.Requests)).Content.Value.ToByteArray());
        Assert.Equal(value, (await KvRun.OfAsync(["get", "b", "k", .. server.Options])).Bytes);
    }

    [Fact]
    public async Task PodThatRefuses_IsPassedOver_ByAWriteToo()
    {
        await using var node = await StubNode.StartAsync(_ => new PutResponse());
        await using var server = await StubApiServer.StartAsync();
        server.AddPod("example-0", "example", ready: true, target: null);
        server.AddPod("example-1", "example", ready: false, node.Address);
        var run = await KvRun.OfAsync(["put", "b", "k", "v", .. server.Options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Single(node.Requests);
    }

    [Fact]
    public async Task Status_AsksEachMemberThroughItsPod_WhateverAddressItHasInTheCluster()
    {
        await using var node = await StubNode.StartAsync(Samples.Member(() => "example-0.example-headless.shop.svc:9082"));
        await using var server = await StubApiServer.StartAsync();
        server.AddPod("example-0", "example", ready: true, node.Address);
        var run = await KvRun.OfAsync(["status", .. server.Options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("0.1.0     1.5 MiB", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllPodsRefusing_SayWhatTheApiServerSaid()
    {
        await using var server = await StubApiServer.StartAsync();
        server.AddPod("example-0", "example", ready: true, target: null);
        var run = await KvRun.OfAsync(["get", "b", "k", .. server.Options]);
        Assert.Equal("kv: no node answered. Tried the pods of Cluster example in namespace shop: example-0 (example-0:9080): the pod refused the connection: nothing listens\n", run.Error);
        Assert.Equal(4, run.ExitCode);
    }

    [Fact]
    public async Task SeveralClusters_AreNamed_AndOneIsAskedFor()
    {
        await using var node = await StubNode.StartAsync(_ => new GetResponse());
        await using var server = await StubApiServer.StartAsync();
        server.AddPod("one-0", "one", ready: true, node.Address);
        server.AddPod("two-0", "two", ready: true, node.Address);
        var several = await KvRun.OfAsync(["get", "b", "k", .. server.Options]);
        Assert.Equal(2, several.ExitCode);
        Assert.StartsWith("kv: there are several Clusters in namespace shop: name one with --cluster: one, two", several.Error, StringComparison.Ordinal);
        Assert.Equal(3, (await KvRun.OfAsync(["get", "b", "k", "--cluster", "two", .. server.Options])).ExitCode);
        Assert.Single(node.Requests);
    }

    [Theory]
    [InlineData("--cluster nowhere", 3, "there is no Cluster nowhere with pods in namespace shop")]
    [InlineData("--namespace other", 1, "the API server refused to list pods in namespace other: pods is forbidden: no right to list pods")]
    [InlineData("--kube-context other", 1, "no kubeconfig to use: ")]
    public async Task WhatIsNotThere_IsNamed(string options, int expected, string text)
    {
        await using var server = await StubApiServer.StartAsync();
        var run = await KvRun.OfAsync(["get", "b", "k", .. options.Split(' '), .. server.Options]);
        Assert.StartsWith($"kv: {text}", run.Error, StringComparison.Ordinal);
        Assert.Equal(expected, run.ExitCode);
    }
}
