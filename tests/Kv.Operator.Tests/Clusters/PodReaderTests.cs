using System.Text.Json.Nodes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>Which pods are down for good, and which have not yet shown what they are.</summary>
public sealed class PodReaderTests
{
    private static readonly ObservedWorkload Workload = new("", "example", 1);

    /// <summary>Ended once, the kubelet starts it again at once: it is not broken before it is kept waiting for that.</summary>
    [Theory]
    [InlineData("""{"running":{}}""", true, false)]
    [InlineData("""{"terminated":{"exitCode":137,"reason":"OOMKilled"}}""", false, false)]
    [InlineData("""{"waiting":{"reason":"ContainerCreating"}}""", false, false)]
    [InlineData("""{"waiting":{"reason":"PodInitializing"}}""", false, false)]
    [InlineData("""{"waiting":{"reason":"CrashLoopBackOff"}}""", false, true)]
    [InlineData("""{"waiting":{"reason":"ImagePullBackOff"}}""", false, true)]
    [InlineData("""{"waiting":{"reason":"CreateContainerConfigError"}}""", false, true)]
    public void Container_IsBroken_OnlyWhereItIsKeptFromRunning(string state, bool runs, bool isBroken)
    {
        var node = NodeOf(Pod("Running", "new", state));
        Assert.Equal((runs, isBroken), (node.Running, node.IsBroken));
        Assert.Null(node.PendingSince);
    }

    [Fact]
    public void Pod_ThatIsBeingDeleted_IsNeitherBrokenNorPendingNorOnTrial()
    {
        foreach (var (phase, state) in new[] { ("Pending", """{"waiting":{"reason":"ImagePullBackOff"}}"""), ("Running", """{"running":{}}""") })
        {
            var pod = Pod(phase, "new", state);
            pod["metadata"]!["deletionTimestamp"] = "2026-01-02T03:05:05Z";
            var node = NodeOf(pod);
            Assert.Equal((false, null, false), (node.IsBroken, node.PendingSince, node.IsOnTrial));
        }
    }

    [Fact]
    public void Pod_IsPending_SinceItWasMade() =>
        Assert.Equal(Build.Now, NodeOf(Pod("Pending", "new", """{"waiting":{"reason":"ContainerCreating"}}""")).PendingSince);

    [Theory]
    [InlineData("new", true, false, 2, true)]
    [InlineData("new", true, true, 2, false)]
    [InlineData("old", true, false, 2, false)]
    [InlineData("new", true, false, 1, false)]
    [InlineData("new", false, false, 2, false)]
    public void Pod_IsOnTrial_FromItsMachineUntilWhatIsNewestIsReady(string hash, bool isScheduled, bool isReady, int seenGeneration, bool isOnTrial)
    {
        var pod = Pod("Running", hash, """{"running":{}}""");
        pod["status"]!["conditions"] = new JsonArray(Condition("PodScheduled", isScheduled), Condition("Ready", isReady));
        Assert.Equal(isOnTrial, NodeOf(pod, seenGeneration).IsOnTrial);
    }

    private static JsonObject Condition(string type, bool holds) => new() { ["type"] = type, ["status"] = holds ? "True" : "False" };

    private static ObservedNode NodeOf(JsonObject pod, int seenGeneration = 2)
    {
        var set = new JsonObject
        {
            ["metadata"] = new JsonObject { ["generation"] = 2 },
            ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [StatefulSets.SpecHash] = "new" } } } },
            ["status"] = new JsonObject { ["observedGeneration"] = seenGeneration },
        };
        return Assert.Single(PodReader.NodesOf(Build.Cluster(1), Workload, set, [pod], new HashSet<string>()));
    }

    private static JsonObject Pod(string phase, string hash, string state) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = "example-0",
            ["namespace"] = "default",
            ["uid"] = "u",
            ["creationTimestamp"] = "2026-01-02T03:04:05Z",
            ["annotations"] = new JsonObject { [StatefulSets.SpecHash] = hash },
        },
        ["status"] = new JsonObject
        {
            ["phase"] = phase,
            ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = Names.NodeContainer, ["state"] = JsonNode.Parse(state) }),
        },
    };
}
