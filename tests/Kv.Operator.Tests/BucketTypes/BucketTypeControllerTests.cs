using System.Text.Json.Nodes;
using Grpc.Core;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.NodeAdmin;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.BucketTypes;

/// <summary>BucketType objects that ask for one and the same type of a cluster: one of them has it, and the others are told so.</summary>
public sealed class BucketTypeControllerTests
{
    private const int Passes = 12;
    private readonly FakeKubernetes api = new();
    private readonly FakeTimeProvider time = new(Build.Now);
    private readonly SimulatedCluster world = new();
    private readonly Cluster cluster = Build.Cluster();

    [Theory]
    [InlineData("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "first")]
    [InlineData("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "second")]
    [InlineData("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "first")]
    public async Task Types_OfOneName_AreTheOldestsAlone_AndNothingIsWrittenInTurns(string first, string second, string winner)
    {
        await FormAsync();
        Put("first", "shared", first, r: 1);
        Put("second", "shared", second, r: 3);
        await PassesAsync("first", "second");
        var loser = winner == "first" ? "second" : "first";
        Assert.Equal(("True", "True"), (await StatusAsync(winner, Conditions.Active), await StatusAsync(winner, Conditions.Accepted)));
        var refusal = await ConditionAsync(loser, Conditions.Accepted);
        Assert.Equal(("False", Conditions.Reasons.NameConflict), (refusal["status"]!.ToString(), refusal["reason"]!.ToString()));
        Assert.Equal($"BucketType {winner} is the type shared of example already", refusal["message"]!.ToString());

        var writes = (world.Writes, api.Writes);
        await PassesAsync("first", "second");
        Assert.Equal(writes, (world.Writes, api.Writes));

        // Deleted and made anew, restored, replaced: the other never was the type, and overwrites nothing unless a person says so.
        api.Remove(ResourceKind.BucketType, winner);
        await PassesAsync(loser);
        Assert.Equal(Conditions.Reasons.ExistingType, (await ConditionAsync(loser, Conditions.Accepted))["reason"]!.ToString());
        Assert.Equal(("False", winner == "first" ? 1 : 3), (await StatusAsync(loser, Conditions.Active), await QuorumAsync()));

        var live = (await api.GetAsync(ResourceKind.BucketType, "default", loser, TestContext.Current.CancellationToken))!;
        live["metadata"]!["annotations"] = new JsonObject { [BucketTypePlanner.TakeOverAnnotation] = "shared" };
        api.Put(ResourceKind.BucketType, live);
        await PassesAsync(loser);
        Assert.Equal(("True", "True"), (await StatusAsync(loser, Conditions.Active), await StatusAsync(loser, Conditions.Accepted)));
        Assert.Equal(loser == "first" ? 1 : 3, await QuorumAsync());

        async Task<int> QuorumAsync() =>
            JsonNode.Parse((await world.FindBucketTypeAsync("example-0", "shared", TestContext.Current.CancellationToken))!.PropsJson)!["r"]!.GetValue<int>();
    }

    /// <summary>What is the same needs nobody's word.</summary>
    [Fact]
    public async Task Type_WhoseOlderObjectGoes_IsTheNextOnes_WhereThatAsksForTheSame()
    {
        await FormAsync();
        Put("first", "shared", "2026-01-01T00:00:00Z", r: 2);
        Put("second", "shared", "2026-01-02T00:00:00Z", r: 2);
        await PassesAsync("first", "second");
        api.Remove(ResourceKind.BucketType, "first");
        await PassesAsync("second");
        Assert.Equal(("True", "True"), (await StatusAsync("second", Conditions.Active), await StatusAsync("second", Conditions.Accepted)));
    }

    /// <summary>Whether nodes answer, and what, changes nothing about whose a type is: there is nobody to ask here.</summary>
    [Fact]
    public async Task Type_OfAnOlderObject_IsRefused_WithoutAskingANode()
    {
        var type = Build.BucketType(spec => spec.Name = "shared");
        var older = new BucketTypeClaim("default", "first", "example", "shared");
        var pass = await new BucketTypeReconciler(null!, null!, time, PassIntervals.Kubernetes).RunAsync(type, cluster, [older], TestContext.Current.CancellationToken);
        Assert.Null(pass.Error);
        Assert.Equal(Conditions.Reasons.NameConflict, pass.Status.Conditions!.Single(condition => condition.Type == Conditions.Accepted).Reason);
        Assert.Equal("False", pass.Status.Conditions!.Single(condition => condition.Type == Conditions.Active).Status);
    }

    /// <summary>On an API server without CEL. The older object had the other's type by its age alone, and its settings with it.</summary>
    [Theory]
    [InlineData("example", "b")]
    [InlineData("other", "a")]
    public async Task Type_ThatIsGivenAnotherNameOrCluster_StaysAsItIs_AndTakesNobodyElses(string cluster, string name)
    {
        await FormAsync();
        Put("first", "a", "2026-01-01T00:00:00Z", r: 1);
        Put("second", "b", "2026-01-02T00:00:00Z", r: 3);
        await PassesAsync("first", "second");
        var live = (await api.GetAsync(ResourceKind.BucketType, "default", "first", TestContext.Current.CancellationToken))!;
        Assert.Equal(("a", "example"), (live["status"]!["acceptedName"]!.ToString(), live["status"]!["acceptedCluster"]!.ToString()));

        var writes = world.Writes;
        await RespecAsync(cluster, name);
        var refusal = await ConditionAsync("first", Conditions.Accepted);
        Assert.Equal(("False", Conditions.Reasons.ImmutableProperty), (refusal["status"]!.ToString(), refusal["reason"]!.ToString()));
        Assert.Equal(("True", "True"), (await StatusAsync("second", Conditions.Active), await StatusAsync("second", Conditions.Accepted)));
        Put("third", "a", "2026-01-03T00:00:00Z", r: 2);
        await PassesAsync("first", "second", "third");
        Assert.Equal(Conditions.Reasons.NameConflict, (await ConditionAsync("third", Conditions.Accepted))["reason"]!.ToString());
        Assert.Equal(writes, world.Writes);

        await RespecAsync("example", "a");
        Assert.Equal(("True", "True"), (await StatusAsync("first", Conditions.Active), await StatusAsync("first", Conditions.Accepted)));
        Assert.Equal(writes, world.Writes);

        async Task RespecAsync(string newCluster, string newName)
        {
            var asked = (await api.GetAsync(ResourceKind.BucketType, "default", "first", TestContext.Current.CancellationToken))!;
            (asked["spec"]!["clusterRef"]!["name"], asked["spec"]!["name"]) = (newCluster, newName);
            api.Put(ResourceKind.BucketType, asked);
            await PassesAsync("first", "second");
        }
    }

    [Fact]
    public async Task Type_ThatIsGivenAnotherName_IsRefused_WithoutAskingANode()
    {
        var type = Build.BucketType(spec => spec.Name = "other");
        (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster) = ("Active", "siblings", "example");
        var pass = await new BucketTypeReconciler(null!, null!, time, PassIntervals.Kubernetes).RunAsync(type, cluster, [BucketTypeClaim.Of(type)], TestContext.Current.CancellationToken);
        Assert.Null(pass.Error);
        Assert.Equal(Conditions.Reasons.ImmutableProperty, pass.Status.Conditions!.Single(condition => condition.Type == Conditions.Accepted).Reason);
    }

    [Fact]
    public async Task Type_OfAnOlderObjectThatIsRefusedItself_IsToldWhy()
    {
        await FormAsync();
        Put("first", "shared", "2026-01-01T00:00:00Z", r: 2, change: spec => spec["consistent"] = true);
        Put("second", "shared", "2026-01-02T00:00:00Z", r: 2);
        await PassesAsync("first", "second");
        Assert.Equal(
            "BucketType first asks for the type shared of example too and was there first, and is refused itself: consistent is not supported by this version",
            (await ConditionAsync("second", Conditions.Accepted))["message"]!.ToString());
    }

    /// <summary>Of another version of the operator, say: once it can be read it has the type again, and until then nobody else takes it.</summary>
    [Fact]
    public async Task Type_OfAnOlderObjectThatCannotBeRead_IsNobodyElses()
    {
        await FormAsync();
        Put("first", "shared", "2026-01-01T00:00:00Z", r: 2, change: spec => spec["nVal"] = "three");
        Put("second", "shared", "2026-01-02T00:00:00Z", r: 2);
        await PassesAsync("second");
        var refusal = await ConditionAsync("second", Conditions.Accepted);
        Assert.Equal(Conditions.Reasons.NameConflict, refusal["reason"]!.ToString());
        Assert.Contains("is refused itself: it cannot be read: ", refusal["message"]!.ToString(), StringComparison.Ordinal);
        Assert.Null(await world.FindBucketTypeAsync("example-0", "shared", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Claims_OfANamespace_AreListedOnceForAllOfItsObjects_AndAnewForOneThatChangedSince()
    {
        api.PageSize = 100;
        var claims = new SharedClaims(api, time);
        var names = Enumerable.Range(0, 20).Select(i => $"type-{i}").ToList();
        names.ForEach(name => Put(name, null, "2026-01-01T00:00:00Z", r: 2));
        foreach (var name in names)
        {
            Assert.Equal(20, (await AllAsync(name)).Count);
        }

        Assert.Equal(1, api.Lists);
        Put("late", null, "2026-01-01T00:00:00Z", r: 2);
        Assert.Equal((21, 2), ((await AllAsync("late")).Count, api.Lists));
        Put("late", null, "2026-01-01T00:00:00Z", r: 3, generation: 2);
        Assert.Equal((21, 3), ((await AllAsync("late")).Count, api.Lists));
        time.Advance(SharedClaims.Lasts);
        Assert.Equal((21, 4), ((await AllAsync(names[0])).Count, api.Lists));

        async Task<IReadOnlyList<BucketTypeClaim>> AllAsync(string name) =>
            await claims.AllBesideAsync((await new EntityClient(api).GetAsync<BucketType>(name, "default", TestContext.Current.CancellationToken))!, TestContext.Current.CancellationToken);
    }

    /// <summary>One that is named so, and one that calls itself so; one of another cluster, and one that is about to go, are in nobody's way.</summary>
    [Fact]
    public async Task Types_ShareAName_OnlyWithinOneCluster_AndWithThoseThatStay()
    {
        await FormAsync();
        Put("elsewhere", "shared", "2026-01-01T00:00:00Z", r: 2, of: "other");
        Put("going", "shared", "2026-01-01T00:00:00Z", r: 2, isDeleted: true);
        Put("shared", null, "2026-01-03T00:00:00Z", r: 2);
        Put("second", "shared", "2026-01-04T00:00:00Z", r: 2);
        await PassesAsync("shared", "second");
        Assert.Equal("True", await StatusAsync("shared", Conditions.Accepted));
        Assert.Equal(Conditions.Reasons.NameConflict, (await ConditionAsync("second", Conditions.Accepted))["reason"]!.ToString());
    }

    [Theory]
    [InlineData(StatusCode.Aborted, "busy: another change is being decided", true)]
    [InlineData(StatusCode.FailedPrecondition, "document_changed: look again", true)]
    [InlineData(StatusCode.FailedPrecondition, "no_space: there is none", false)]
    public async Task Member_ThatCannotNow_IsNotTheLastToBeAsked(StatusCode code, string text, bool goesOn)
    {
        var asked = new List<string>();
        var answer = AnyMember.AskAsync(["a", "b", "c", "d"], address =>
        {
            asked.Add(address);
            return address == "c" ? Task.FromResult(address) : throw new NodeRefusedException(code, text);
        });
        if (goesOn)
        {
            Assert.Equal("c", await answer);
        }
        else
        {
            Assert.Equal(text, (await Assert.ThrowsAsync<NodeRefusedException>(() => answer)).Message);
        }

        Assert.Equal(goesOn ? ["a", "b", "c"] : ["a"], asked);
    }

    private async Task FormAsync()
    {
        api.Put(ResourceKind.Cluster, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "example", ["namespace"] = "default", ["uid"] = Build.Uid },
            ["spec"] = new JsonObject { ["nodes"] = 3 },
        });
        var reconciler = new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), time, PassIntervals.Kubernetes);
        for (var pass = 0; pass < 40; pass++)
        {
            world.MovePartitions(2);
            cluster.Status = (await reconciler.RunAsync(cluster, TestContext.Current.CancellationToken)).Status;
        }
    }

    private void Put(string name, string? typeName, string made, int r, string of = "example", bool isDeleted = false, long? generation = null, Action<JsonObject>? change = null)
    {
        var spec = new JsonObject { ["clusterRef"] = new JsonObject { ["name"] = of }, ["name"] = typeName, ["r"] = r };
        change?.Invoke(spec);
        api.Put(ResourceKind.BucketType, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = "default",
                ["creationTimestamp"] = made,
                ["deletionTimestamp"] = isDeleted ? made : null,
                ["generation"] = generation,
            },
            ["spec"] = spec,
        });
    }

    private async Task PassesAsync(params string[] names)
    {
        var reporter = new PassReporter(new StatusWriter(api), new EventRecorder(api, time, NullLogger<EventRecorder>.Instance));
        var controller = new BucketTypeController(new EntityClient(api), new SharedClaims(api, time), new BucketTypeReconciler(new ClusterObserver(world, world), world, time, PassIntervals.Kubernetes), reporter);
        for (var pass = 0; pass < Passes; pass++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            foreach (var name in names)
            {
                var type = await new EntityClient(api).GetAsync<BucketType>(name, "default", TestContext.Current.CancellationToken);
                await controller.ReconcileAsync(type!, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task<JsonNode> ConditionAsync(string name, string condition) =>
        (await api.GetAsync(ResourceKind.BucketType, "default", name, TestContext.Current.CancellationToken))!["status"]!["conditions"]!.AsArray().Single(one => one!["type"]!.ToString() == condition)!;

    private async Task<string> StatusAsync(string name, string condition) => (await ConditionAsync(name, condition))["status"]!.ToString();
}
