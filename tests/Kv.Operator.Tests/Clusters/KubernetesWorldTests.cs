using System.Text.Json.Nodes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>Which pods are outdated, and which pod is ended.</summary>
public sealed class KubernetesWorldTests
{
    private static readonly Kv.Operator.Api.Clusters.Cluster Cluster = Build.Cluster(1);
    private readonly FakeKubernetes api = new();

    [Fact]
    public async Task Pod_OfAChangedSpec_IsOutdated_AndOneOfANewTemplateIsNot()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        Assert.False((await NodeAsync(world)).IsOutdated);

        Cluster.Spec.RestartReason = "because";
        await world.ApplyChildrenAsync(Cluster, await world.ObserveAsync(Cluster, CancellationToken.None), new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        Assert.True((await NodeAsync(world)).IsOutdated);
        Cluster.Spec.RestartReason = null;
    }

    [Fact]
    public async Task Pod_OfAnOlderOperator_IsNotOutdated()
    {
        await WorldAsync("registry.example/kv-node:1");
        var newer = new KubernetesWorld(api, NodeImage.Parse("registry.example/kv-node:2", "latest"));
        await newer.ApplyChildrenAsync(Cluster, await newer.ObserveAsync(Cluster, CancellationToken.None), new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        Assert.False((await NodeAsync(newer)).IsOutdated);
    }

    /// <summary>The operator that put it there knew it, and so may the nodes: neither takes it from them nor restarts them.</summary>
    [Fact]
    public async Task Setting_ThatNoNodeKnows_StaysWhereItIsAlready_AndIsAddedNowhere()
    {
        var cluster = Build.Cluster(1, spec => spec.Config = new() { ["of-another-release"] = "7", ["log-level"] = "debug" });
        var world = new KubernetesWorld(api, NodeImage.Parse("registry.example/kv-node:1", "latest"));
        await ApplyAsync();
        Assert.Equal(["KV_LOG_LEVEL"], await SettingsAsync());

        var config = (await api.GetAsync(ResourceKind.ConfigMap, "default", "example-config", CancellationToken.None))!;
        config["data"]!["KV_OF_ANOTHER_RELEASE"] = "7";
        api.Put(ResourceKind.ConfigMap, config);
        await ApplyAsync();
        Assert.Equal(["KV_LOG_LEVEL", "KV_OF_ANOTHER_RELEASE"], await SettingsAsync());
        var before = await HashAsync();
        cluster.Spec.Config!["another-of-it"] = "8";
        await ApplyAsync();
        Assert.Equal(before, await HashAsync());
        Assert.All((await world.ObserveAsync(cluster, CancellationToken.None)).Children, child => Assert.Equal(ChildState.Current, child.State));

        async Task ApplyAsync() => await world.ApplyChildrenAsync(cluster, await world.ObserveAsync(cluster, CancellationToken.None), new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);

        async Task<IEnumerable<string>> SettingsAsync() =>
            (await api.GetAsync(ResourceKind.ConfigMap, "default", "example-config", CancellationToken.None))!["data"]!.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal);

        async Task<string> HashAsync() =>
            (await api.GetAsync(ResourceKind.StatefulSet, "default", "example", CancellationToken.None))!["spec"]!["template"]!["metadata"]!["annotations"]![StatefulSets.SpecHash]!.ToString();
    }

    [Fact]
    public async Task Restart_OfAPodThatWasReplacedMeanwhile_EndsNothing()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        var seen = await NodeAsync(world);
        await world.RestartAsync(Cluster, seen with { Uid = "another" }, isBroken: false, CancellationToken.None);
        Assert.NotNull(await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None));

        await world.RestartAsync(Cluster, seen, isBroken: false, CancellationToken.None);
        Assert.Null(await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None));
    }

    [Fact]
    public async Task Restart_OfABrokenPodThatRunsByNow_EndsNothing()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        var seen = await NodeAsync(world);
        Assert.False(seen.Running);
        var pod = (await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None))!;
        pod["status"]!["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = Names.NodeContainer, ["state"] = new JsonObject { ["running"] = new JsonObject() } });
        api.Put(ResourceKind.Pod, pod);
        await world.RestartAsync(Cluster, seen, isBroken: true, CancellationToken.None);
        Assert.NotNull(await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None));

        // A closed budget does not keep one that was seen to run.
        await world.RestartAsync(Cluster, await NodeAsync(world), isBroken: true, CancellationToken.None);
        Assert.Null(await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None));
    }

    [Fact]
    public async Task Pod_ThatWaitsForAVolumeMadeByHand_IsNotTakenForOneWhoseVolumeIsGone()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        api.Remove(ResourceKind.Pod, "example-0");
        await PodAsync("Pending");
        Assert.True((await NodeAsync(world)).IsVolumeMissing);

        // From a snapshot: without our labels, which a StatefulSet adds to none that is there already.
        api.Put(ResourceKind.VolumeClaim, "data-example-0");
        Assert.False((await NodeAsync(world)).IsVolumeMissing);
    }

    [Fact]
    public async Task Budget_OfAnotherKind_IsMadeAnew()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        var kind = ResourceKind.DisruptionBudget("v1");
        var edited = (await api.GetAsync(kind, "default", "example", CancellationToken.None))!;
        edited["spec"]!.AsObject().Remove("maxUnavailable");
        edited["spec"]!["minAvailable"] = 1;
        api.Put(kind, edited);

        var observed = await world.ObserveAsync(Cluster, CancellationToken.None);
        await world.ApplyChildrenAsync(Cluster, observed, new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        var live = (await api.GetAsync(kind, "default", "example", CancellationToken.None))!;
        Assert.Equal(("1", null), (live["spec"]!["maxUnavailable"]?.ToString(), live["spec"]!["minAvailable"]?.ToString()));
    }

    [Fact]
    public async Task Volume_OfANodeThatLeft_IsMarked_AndKeepsWhatElseItSays()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        await ClaimAsync("data-example-7");
        var volume = Assert.Single((await world.ObserveAsync(Cluster, CancellationToken.None)).Volumes);
        Assert.Equal(("example-7", false, false), (volume.NodeName, volume.IsReleased, volume.IsUsed));

        await world.ReleaseVolumeAsync(Cluster, volume, CancellationToken.None);
        Assert.True(Assert.Single((await world.ObserveAsync(Cluster, CancellationToken.None)).Volumes).IsReleased);

        await world.DeleteVolumeAsync(Cluster, volume, CancellationToken.None);
        Assert.Empty((await world.ObserveAsync(Cluster, CancellationToken.None)).Volumes);
    }

    [Fact]
    public async Task Renewal_DeletesTheClaimAndThePod_AndAPodThatWaitsForAGoneClaimIsSeen()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        await ClaimAsync("data-example-0");
        var observed = await world.ObserveAsync(Cluster, CancellationToken.None);
        Assert.True(Assert.Single(observed.Volumes).IsUsed);
        await world.RenewVolumeAsync(Cluster, observed, observed.Nodes[0], CancellationToken.None);
        Assert.Null(await api.GetAsync(ResourceKind.VolumeClaim, "default", "data-example-0", CancellationToken.None));
        Assert.Null(await api.GetAsync(ResourceKind.Pod, "default", "example-0", CancellationToken.None));

        await PodAsync("Pending");
        Assert.True((await NodeAsync(world)).IsVolumeMissing);
        await ClaimAsync("data-example-0");
        Assert.False((await NodeAsync(world)).IsVolumeMissing);
    }

    [Fact]
    public async Task Budget_IsWhatTheGateSaid_WhateverElseIsApplied()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        var observed = await world.ObserveAsync(Cluster, CancellationToken.None);
        Assert.Equal(1, observed.DisruptionsAllowed);
        await world.SetBudgetAsync(Cluster, observed, 0, CancellationToken.None);
        observed = await world.ObserveAsync(Cluster, CancellationToken.None);
        Assert.Equal(0, observed.DisruptionsAllowed);
        Assert.All(observed.Children, child => Assert.Equal(ChildState.Current, child.State));
        await world.ApplyChildrenAsync(Cluster, observed, new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        Assert.Equal(0, (await world.ObserveAsync(Cluster, CancellationToken.None)).DisruptionsAllowed);
    }

    /// <summary>An operator that was paused, or whose call comes late, while another went on: its replicas would take members' pods away, its settings be new pods'.</summary>
    [Fact]
    public async Task Objects_ThatHaveChangedSinceTheyWereLookedAt_AreLeftAsTheyAre()
    {
        var world = await WorldAsync("registry.example/kv-node:1");
        var seen = await world.ObserveAsync(Cluster, CancellationToken.None);
        var nothing = new ObservedCluster();
        await world.ApplyChildrenAsync(Cluster, seen, new Dictionary<string, int> { [""] = 5 }, CancellationToken.None);
        foreach (var old in new[] { seen, nothing })
        {
            var refused = await Assert.ThrowsAsync<KubernetesApiException>(() => world.ApplyChildrenAsync(Cluster, old, new Dictionary<string, int> { [""] = 1 }, CancellationToken.None));
            Assert.True(refused.IsConflict);
        }

        Assert.Equal(5, Assert.Single((await world.ObserveAsync(Cluster, CancellationToken.None)).Workloads).Replicas);
        await world.ApplyChildrenAsync(Cluster, await world.ObserveAsync(Cluster, CancellationToken.None), new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        Assert.Equal(1, Assert.Single((await world.ObserveAsync(Cluster, CancellationToken.None)).Workloads).Replicas);
    }

    private async Task ClaimAsync(string name) => await api.CreateAsync(
        ResourceKind.VolumeClaim,
        "default",
        new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["labels"] = Parts.Labels(Cluster, null) } },
        CancellationToken.None);

    /// <summary>A cluster of one pod, made from the template as it is.</summary>
    private async Task<KubernetesWorld> WorldAsync(string image)
    {
        var world = new KubernetesWorld(api, NodeImage.Parse(image, "latest"));
        await world.ApplyChildrenAsync(Cluster, new ObservedCluster(), new Dictionary<string, int> { [""] = 1 }, CancellationToken.None);
        await PodAsync("Running");
        return world;
    }

    private async Task PodAsync(string phase)
    {
        var set = (await api.GetAsync(ResourceKind.StatefulSet, "default", "example", CancellationToken.None))!;
        var pod = new JsonObject { ["metadata"] = set["spec"]!["template"]!["metadata"]!.DeepClone(), ["status"] = new JsonObject { ["phase"] = phase } };
        (pod["metadata"]!["name"], pod["metadata"]!["namespace"]) = ("example-0", "default");
        await api.CreateAsync(ResourceKind.Pod, "default", pod, CancellationToken.None);
    }

    private static async Task<ObservedNode> NodeAsync(KubernetesWorld world) => Assert.Single((await world.ObserveAsync(Cluster, CancellationToken.None)).Nodes);
}
