using System.Text.Json.Nodes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>A Cluster that takes its volumes with it: no claim goes under a node that runs, and no other's goes at all.</summary>
public sealed class VolumesFinalizerTests
{
    private readonly FakeKubernetes api = new();
    private readonly Cluster cluster = Build.Cluster(2, spec => spec.Storage.Retention.WhenDeleted = RetentionPolicy.Delete);

    public VolumesFinalizerTests() => cluster.Metadata.CreationTimestamp = Build.Now.UtcDateTime;

    [Fact]
    public void Finalizer_IsNeeded_OnlyWhereVolumesGoWithTheCluster()
    {
        var finalizer = new VolumesFinalizer(api);
        Assert.True(finalizer.IsNeeded(cluster));
        Assert.False(finalizer.IsNeeded(Build.Cluster()));
    }

    [Fact]
    public async Task StatefulSetsGoFirst_ThenThePodsByThemselves_AndOnlyThenTheClaims()
    {
        Own(ResourceKind.StatefulSet, "example", "example");
        Own(ResourceKind.Pod, "example-0", "example");
        Own(ResourceKind.VolumeClaim, "data-example-0", "example");
        Own(ResourceKind.VolumeClaim, "data-example-7", "example");
        Own(ResourceKind.VolumeClaim, "data-other-0", "other");

        Assert.False(await IsDoneAsync());
        Assert.Equal((false, true, true), (Has(ResourceKind.StatefulSet, "example"), Has(ResourceKind.Pod, "example-0"), Has(ResourceKind.VolumeClaim, "data-example-0")));

        // The pod has not ended yet.
        Assert.False(await IsDoneAsync());
        Assert.Equal((true, true), (Has(ResourceKind.Pod, "example-0"), Has(ResourceKind.VolumeClaim, "data-example-0")));

        api.Remove(ResourceKind.Pod, "example-0");
        Assert.False(await IsDoneAsync());
        Assert.True(await IsDoneAsync());
        Assert.Equal((false, false), (Has(ResourceKind.VolumeClaim, "data-example-0"), Has(ResourceKind.VolumeClaim, "data-example-7")));
        Assert.True(Has(ResourceKind.VolumeClaim, "data-other-0"));
    }

    /// <summary>Those of a Cluster of that name before this one are the only copies of its data.</summary>
    [Fact]
    public async Task Volumes_OfAnEarlierClusterOfThatName_Stay_HoweverManyThereAre()
    {
        for (var i = 0; i < 3; i++)
        {
            Own(ResourceKind.VolumeClaim, $"data-example-{i}", "example", -1);
        }

        Own(ResourceKind.VolumeClaim, "data-example-3", "example", 0);
        Assert.False(await IsDoneAsync());
        Assert.True(await IsDoneAsync());
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(i => Has(ResourceKind.VolumeClaim, $"data-example-{i}")));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Volumes_OfARingThatWasTakenOver_GoWithWhoTookIt(bool wasSeen, bool goes)
    {
        Own(ResourceKind.VolumeClaim, "data-example-0", "example", -1);
        cluster.Metadata.Annotations = new Dictionary<string, string> { [ClusterBlocks.ClusterIdAnnotation] = "553ee432-7ec9-4ffc-b922-5297404aae45" };
        cluster.Status.Ring = wasSeen ? new RingStatus { Version = 4 } : null;
        Assert.Equal(!goes, await IsDoneAsync());
        Assert.Equal(!goes, Has(ResourceKind.VolumeClaim, "data-example-0"));
    }

    [Fact]
    public async Task Volumes_StayWhereTheSpecSaysSoAtTheEnd()
    {
        Own(ResourceKind.VolumeClaim, "data-example-0", "example");
        cluster.Spec.Storage.Retention.WhenDeleted = RetentionPolicy.Retain;
        Assert.True(await IsDoneAsync());
        Assert.True(Has(ResourceKind.VolumeClaim, "data-example-0"));
    }

    private async Task<bool> IsDoneAsync() => await new VolumesFinalizer(api).FinalizeAsync(cluster, TestContext.Current.CancellationToken) is { IsSuccess: true, RequeueAfter: null };

    private bool Has(ResourceKind kind, string name) => api.GetAsync(kind, "default", name, CancellationToken.None).Result is not null;

    private void Own(ResourceKind kind, string name, string owner, int secondsLater = 1) => api.Put(kind, new JsonObject
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = "default",
            ["creationTimestamp"] = Build.Now.AddSeconds(secondsLater).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
            ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = Names.ManagedBy, [Names.ClusterLabel] = owner },
        },
    });
}
