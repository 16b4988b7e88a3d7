using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Schema;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;
using BucketPropsRules = Kv.Core.Buckets.BucketPropsRules;

namespace Kv.Operator.Tests.BucketTypes;

public sealed class BucketTypePlannerTests
{
    [Fact]
    public void Next_WithoutItsCluster_Waits() => Assert.Equal(Conditions.Reasons.ClusterNotFound, Assert.IsType<BucketTypeAction.Wait>(Next(BucketType(), new ObservedBucketType())).Reason);

    [Fact]
    public void Next_WithoutARing_Waits() =>
        Assert.Equal(Conditions.Reasons.ClusterNotReady, Assert.IsType<BucketTypeAction.Wait>(Next(BucketType(), new ObservedBucketType { Cluster = Cluster() })).Reason);

    [Fact]
    public void Next_OnARing_CreatesItWithRiaksNames()
    {
        var props = Assert.IsType<BucketTypeAction.Create>(Next(BucketType(spec => spec.R = 2), Observed(null))).Props;
        Assert.Equal(3, props["n_val"]!.GetValue<int>());
        Assert.Equal(2, props["r"]!.GetValue<int>());
        Assert.Equal("quorum", props["w"]!.ToString());
        Assert.True(props["allow_mult"]!.GetValue<bool>());
        Assert.False(props.ContainsKey("write_once"));
    }

    [Fact]
    public void Next_Created_WaitsForTheNodesThatMissIt() =>
        Assert.Equal(["example-1"], Assert.IsType<BucketTypeAction.WaitForNodes>(Next(BucketType(), Observed(BucketTypeState.Created, "example-1"))).Missing);

    [Fact]
    public void Next_Ready_Activates() => Assert.IsType<BucketTypeAction.Activate>(Next(BucketType(), Observed(BucketTypeState.Ready)));

    [Fact]
    public void Next_Active_IsSteady() => Assert.IsType<BucketTypeAction.Steady>(Next(BucketType(), Observed(BucketTypeState.Active)));

    [Fact]
    public void Next_WithAnotherQuorum_UpdatesThatAlone()
    {
        var update = Assert.IsType<BucketTypeAction.Update>(Next(Accepted(BucketType(spec => spec.Pw = "one")), Observed(BucketTypeState.Active)));
        Assert.Equal("{\"pw\":\"one\"}", update.Props.ToJsonString());
    }

    [Theory]
    [InlineData(true, "{}", null)]
    [InlineData(true, """{"aae":false}""", """{"aae":true}""")]
    [InlineData(false, "{}", """{"aae":false}""")]
    [InlineData(false, """{"aae":false}""", null)]
    public void Changes_OfAae_WhichIsLeftOutWhileItIsOn(bool wanted, string told, string? change) => Assert.Equal(change ?? "{}", ChangesOf(new BucketTypeSpec { Aae = wanted }, told));

    [Theory]
    [InlineData(null, "{}", null)]
    [InlineData(null, """{"sync_on_write":"backend"}""", null)]
    [InlineData(null, """{"sync_on_write":"all"}""", """{"sync_on_write":"backend"}""")]
    [InlineData("all", """{"sync_on_write":"backend"}""", """{"sync_on_write":"all"}""")]
    [InlineData("one", """{"sync_on_write":"one"}""", null)]
    public void Changes_OfSyncOnWrite_WhichMayBeLeftOut(string? wanted, string told, string? change) =>
        Assert.Equal(change ?? "{}", ChangesOf(new BucketTypeSpec { SyncOnWrite = wanted }, told));

    [Theory]
    [InlineData("", "{}", null)]
    [InlineData("", """{"precommit":[],"postcommit":[]}""", null)]
    [InlineData("check stamp", """{"precommit":[],"postcommit":[]}""", """{"precommit":[{"name":"check"},{"name":"stamp"}]}""")]
    [InlineData("check", """{"precommit":[{"name":"check"}]}""", null)]
    [InlineData("", """{"precommit":[{"name":"check"}],"postcommit":[{"name":"tell"}]}""", """{"precommit":[],"postcommit":[]}""")]
    public void Changes_OfHooks_WhichAreLeftOutWhereThereAreNone(string wanted, string told, string? change) =>
        Assert.Equal(change ?? "{}", ChangesOf(new BucketTypeSpec { Precommit = wanted.Length == 0 ? null : [.. wanted.Split(' ')] }, told));

    /// <summary>Another object may have made it, or a person: which of them was right, this object cannot know, and concurrent writes that a wrong one merges are lost.</summary>
    [Theory]
    [InlineData(false, null, false)]
    [InlineData(false, "another", false)]
    [InlineData(false, "siblings", true)]
    [InlineData(true, null, true)]
    public void Next_WithAnActiveTypeThatDiffers_UpdatesIt_OnlyIfItIsItsOwn_OrAPersonSaysSo(bool wasAccepted, string? annotated, bool updates)
    {
        var type = BucketType(spec => (spec.AllowMult, spec.LastWriteWins, spec.DvvEnabled) = (false, true, false));
        type.Metadata.Annotations = annotated is null ? null : new Dictionary<string, string> { [BucketTypePlanner.TakeOverAnnotation] = annotated };
        type = wasAccepted ? Accepted(type) : type;
        if (updates)
        {
            Assert.IsType<BucketTypeAction.Update>(Next(type, Observed(BucketTypeState.Active)));
            return;
        }

        var observed = Observed(BucketTypeState.Active);
        var refused = Assert.IsType<BucketTypeAction.Refuse>(Next(type, observed));
        Assert.Equal(Conditions.Reasons.ExistingType, refused.Reason);
        Assert.Contains("differs (allow_mult, last_write_wins, dvv_enabled)", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("annotate this object with kv.dev/take-over=siblings", refused.Message, StringComparison.Ordinal);
        Assert.Null(BucketTypeStatusBuilder.Build(type, observed, refused, null, null, Now).State);
    }

    /// <summary>Whose the type is must not be forgotten while nobody tells of it, and is not decided by what was refused.</summary>
    [Fact]
    public void Status_RemembersThatItWasAccepted()
    {
        var type = BucketType();
        type.Status = BucketTypeStatusBuilder.Build(type, Observed(BucketTypeState.Active), Next(type, Observed(BucketTypeState.Active)), null, null, Now);
        Assert.Equal("Active", type.Status.State);
        type.Status = BucketTypeStatusBuilder.Build(type, null, null, "no answer", null, Now);
        Assert.Equal("Active", type.Status.State);
        type.Spec.Pw = "one";
        Assert.IsType<BucketTypeAction.Update>(Next(type, Observed(BucketTypeState.Active)));

        var refused = BucketType(spec => spec.WriteOnce = true);
        refused.Status = BucketTypeStatusBuilder.Build(refused, Observed(BucketTypeState.Active), Next(refused, Observed(BucketTypeState.Active)), null, null, Now);
        Assert.Null(refused.Status.State);
    }

    /// <summary>An API server without CEL lets it through. The type of that name was never this object's, whatever is the same about it; and its own stays, which it may ask for again.</summary>
    [Theory]
    [InlineData("siblings", "example", "other", "example")]
    [InlineData("siblings", "example", "siblings", "elsewhere")]
    public void Next_OfAnObjectThatWasAcceptedAsAnotherType_Refuses(string name, string cluster, string newName, string newCluster)
    {
        var type = BucketType(spec => (spec.Name, spec.ClusterRef.Name, spec.R) = (newName, newCluster, 1));
        type.Metadata.Annotations = new Dictionary<string, string> { [BucketTypePlanner.TakeOverAnnotation] = newName };
        (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster) = ("Active", name, cluster);
        BucketTypeState?[] states = [null, BucketTypeState.Created, BucketTypeState.Ready, BucketTypeState.Active];
        foreach (var observed in states.Select(state => Observed(state)).Append(new ObservedBucketType()))
        {
            var refused = Assert.IsType<BucketTypeAction.Refuse>(Next(type, observed));
            Assert.Equal(Conditions.Reasons.ImmutableProperty, refused.Reason);
            Assert.Equal(
                $"this object is the type {name} of {cluster}, which stays as it is: its name and cluster cannot be changed, and the type {newName} of {newCluster} takes an object of its own",
                refused.Message);
            var status = BucketTypeStatusBuilder.Build(type, observed, refused, null, null, Now);
            Assert.Equal(("Active", name, cluster), (status.State, status.AcceptedName, status.AcceptedCluster));
            Assert.Equal(refused.Message, status.Summary);
            Assert.All(
                status.Conditions!.Where(condition => condition.Type is Conditions.Accepted or Conditions.Created or Conditions.Ready or Conditions.Active),
                condition => Assert.Equal("False", condition.Status));
        }
    }

    [Fact]
    public void Next_OfAnObjectWhoseNameIsWrittenOut_IsForTheSameType()
    {
        var type = BucketType(spec => spec.Name = "siblings");
        (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster) = ("Active", "siblings", "example");
        Assert.IsType<BucketTypeAction.Steady>(Next(type, Observed(BucketTypeState.Active)));
    }

    /// <summary>Of an operator before there were names in it: the object is taken for what it asks for now, and held to that.</summary>
    [Fact]
    public void Status_WithoutTheAcceptedNames_TakesThoseOfNow()
    {
        var type = Accepted(BucketType(spec => spec.R = 2));
        Assert.IsType<BucketTypeAction.Update>(Next(type, Observed(BucketTypeState.Active)));
        type.Status = BucketTypeStatusBuilder.Build(type, null, null, "no answer", null, Now);
        Assert.Equal(("siblings", "example"), (type.Status.AcceptedName, type.Status.AcceptedCluster));
        type.Spec.Name = "other";
        Assert.Equal(Conditions.Reasons.ImmutableProperty, Refused(type, Observed(BucketTypeState.Active)));
    }

    /// <summary>What was never accepted may still be asked for under another name, and what is another object's is not this one's.</summary>
    [Fact]
    public void Status_KeepsTheNames_WhereItKeepsTheState()
    {
        var type = BucketType(spec => spec.WriteOnce = true);
        type.Status = BucketTypeStatusBuilder.Build(type, Observed(BucketTypeState.Active), Next(type, Observed(BucketTypeState.Active)), null, null, Now);
        Assert.Equal((null, null, null), (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster));

        type = BucketType();
        type.Status = BucketTypeStatusBuilder.Build(type, Observed(BucketTypeState.Created), Next(type, Observed(BucketTypeState.Created)), null, null, Now);
        Assert.Equal(("Created", "siblings", "example"), (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster));
        var held = new ObservedBucketType { Cluster = Cluster(), Holder = new BucketTypeClaim("default", "older", "example", "siblings") };
        type.Status = BucketTypeStatusBuilder.Build(type, held, Next(type, held), null, null, Now);
        Assert.Equal((null, null, null), (type.Status.State, type.Status.AcceptedName, type.Status.AcceptedCluster));
    }

    [Fact]
    public void Summary_OfAnActiveTypeWhoseChangeWaits_SaysSo()
    {
        var paused = Observed(BucketTypeState.Active) with { Cluster = Cluster(change: spec => spec.Paused = true) };
        var type = Accepted(BucketType(spec => spec.R = 2));
        Assert.Equal("example is paused, and its bucket types with it", BucketTypeStatusBuilder.Build(type, paused, Next(type, paused), null, null, Now).Summary);
    }

    [Fact]
    public void Next_WithAnotherQuorumBeforeItIsActive_CreatesItAnew() => Assert.IsType<BucketTypeAction.Create>(Next(BucketType(spec => spec.Pw = "one"), Observed(BucketTypeState.Ready)));

    [Fact]
    public void Next_WithAnotherWriteOnce_Refuses() =>
        Assert.Equal(Conditions.Reasons.ImmutableProperty, Refused(BucketType(spec => spec.WriteOnce = true), Observed(BucketTypeState.Active)));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Next_WithAnotherNVal_Refuses(int nVal) =>
        Assert.Equal(Conditions.Reasons.ImmutableProperty, Refused(BucketType(spec => spec.NVal = nVal), Observed(BucketTypeState.Active)));

    [Fact]
    public void Next_WithAnotherNValBeforeItIsActive_CreatesItAnew() => Assert.IsType<BucketTypeAction.Create>(Next(BucketType(spec => spec.NVal = 2), Observed(BucketTypeState.Ready)));

    [Theory]
    [InlineData(null, true)]
    [InlineData("Ready", true)]
    [InlineData("Active", false)]
    public void Rule_OnNVal_HoldsItOnceTheTypeIsActive(string? state, bool mayChange)
    {
        var old = BucketType();
        old.Status.State = state;
        var problems = RuleChecker.CheckEntity(BucketType(spec => spec.NVal = 5), old);
        Assert.Equal(mayChange ? [] : ["spec.nVal: nVal of an active bucket type cannot be changed"], problems.Select(problem => problem.ToString()));
        Assert.Empty(RuleChecker.CheckEntity(BucketType(spec => spec.R = 1), old));
    }

    [Fact]
    public void Summary_OfATypeWhoseChangeIsRefused_SaysSo()
    {
        var observed = Observed(BucketTypeState.Active);
        var type = BucketType(spec => spec.NVal = 2);
        var status = BucketTypeStatusBuilder.Build(type, observed, Next(type, observed), null, null, Now);
        Assert.Equal("the cluster has a type of this name that differs in what cannot be changed: n_val", status.Summary);
        Assert.Equal("clients can use it", BucketTypeStatusBuilder.Build(BucketType(), observed, Next(BucketType(), observed), null, null, Now).Summary);
    }

    [Fact]
    public void Next_WithMoreCopiesThanNodes_Refuses() => Assert.Equal(Conditions.Reasons.ClusterTooSmall, Refused(BucketType(spec => spec.NVal = 4), Observed(null)));

    [Theory]
    [InlineData("default")]
    [InlineData("any")]
    public void Next_WithARiakWordAsName_Refuses(string name) => Assert.Equal(Conditions.Reasons.ReservedName, Refused(BucketType(spec => spec.Name = name), Observed(null)));

    [Fact]
    public void Next_Consistent_SaysThatItIsNotSupported() => Assert.Equal(Conditions.Reasons.NotSupported, Refused(BucketType(spec => spec.Consistent = true), Observed(null)));

    [Theory]
    [InlineData("counter")]
    [InlineData("set")]
    [InlineData("gset")]
    [InlineData("map")]
    [InlineData("hll")]
    public void Next_WithADataType_CreatesItWithThat(string dataType)
    {
        var create = Assert.IsType<BucketTypeAction.Create>(Next(BucketType(spec => spec.Datatype = dataType), Observed(null)));
        Assert.Equal(dataType, create.Props["datatype"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("hll", 9, 9)]
    [InlineData("hll", null, BucketTypeSpec.DefaultHllPrecision)]
    [InlineData("set", null, null)]
    [InlineData(null, null, null)]
    public void Props_OfAHll_HaveAPrecision(string? dataType, int? precision, int? wanted) =>
        Assert.Equal(wanted, (int?)BucketTypeProps.ToRiak(new BucketTypeSpec { Datatype = dataType, HllPrecision = precision })["hll_precision"]);

    /// <summary>What nobody asks for any more is reduced only on a person's word: it cannot be brought back.</summary>
    [Theory]
    [InlineData(16, null, null)]
    [InlineData(16, 14, 14)]
    [InlineData(12, null, 14)]
    public void Next_OfAHllWhosePrecisionIsLeftOut_LeavesAHigherOne(int held, int? asked, int? sent)
    {
        var observed = Observed(BucketTypeState.Active) with { Existing = new ExistingBucketType(BucketTypeState.Active, BucketTypeProps.ToRiak(new BucketTypeSpec { Datatype = "hll", HllPrecision = held }), []) };
        var action = Next(Accepted(BucketType(spec => (spec.Datatype, spec.HllPrecision) = ("hll", asked))), observed);
        Assert.Equal(sent, (int?)(action as BucketTypeAction.Update)?.Props["hll_precision"]);
        Assert.True(sent is not null || action is BucketTypeAction.Steady, action.ToString());
    }

    /// <summary>Where it is another, what the rule of the CRD takes as a reduction may be none to the nodes.</summary>
    [Fact]
    public void DefaultHllPrecision_IsThatOfTheNodes() =>
        Assert.Equal(BucketTypeSpec.DefaultHllPrecision, BucketPropsRules.CreateType(JsonDocument.Parse("""{"datatype":"hll"}""").RootElement).Props!.HllPrecision);

    /// <summary>A pause holds for all that the operator would change in the cluster.</summary>
    [Theory]
    [InlineData(null, 3)]
    [InlineData("Ready", 3)]
    [InlineData("Ready", 2)]
    [InlineData("Active", 3)]
    public void Next_OnAClusterThatIsPaused_ChangesNothing(string? state, int r)
    {
        var observed = Observed(state is null ? null : Enum.Parse<BucketTypeState>(state));
        observed = observed with { Cluster = Cluster(change: spec => spec.Paused = true) };
        var type = BucketType(spec => spec.R = r);
        type.Status.State = state;
        Assert.Equal(Conditions.Reasons.Paused, Assert.IsType<BucketTypeAction.Wait>(Next(type, observed)).Reason);
        var accepted = BucketTypeStatusBuilder.Build(type, observed, Next(type, observed), null, null, Now).Conditions!.Single(condition => condition.Type == Conditions.Accepted);
        Assert.Equal(("Unknown", Conditions.Reasons.Paused), (accepted.Status, accepted.Reason));
    }

    [Fact]
    public void Next_OnAClusterThatIsPaused_StillTellsWhatIsThere()
    {
        var paused = Observed(BucketTypeState.Active) with { Cluster = Cluster(change: spec => spec.Paused = true) };
        Assert.IsType<BucketTypeAction.Steady>(Next(BucketType(), paused));
    }

    [Fact]
    public void Status_WhenANodeMissesAnActiveType_IsNotActive()
    {
        var observed = Observed(BucketTypeState.Active, "example-2");
        var status = BucketTypeStatusBuilder.Build(BucketType(), observed, Next(BucketType(), observed), null, null, Now);
        var active = status.Conditions!.Single(condition => condition.Type == Conditions.Active);
        Assert.Equal(("False", Conditions.Reasons.WaitingForNodes, "missing on example-2"), (active.Status, active.Reason, active.Message));
    }

    [Fact]
    public async Task Life_OnASimulatedCluster_EndsActive_AndWritesNothingAfter()
    {
        var world = new SimulatedCluster();
        var cluster = Cluster();
        var observer = new ClusterObserver(world, world);
        var clusters = new ClusterReconciler(observer, new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local);
        var types = new BucketTypeReconciler(observer, world, TimeProvider.System, PassIntervals.Local);
        var type = BucketType();
        for (var i = 0; i < 30; i++)
        {
            world.MovePartitions(2);
            cluster.Status = (await clusters.RunAsync(cluster, TestContext.Current.CancellationToken)).Status;
            type.Status = (await types.RunAsync(type, cluster, [BucketTypeClaim.Of(type)], TestContext.Current.CancellationToken)).Status;
        }

        Assert.Equal("True", type.Status.Conditions!.Single(condition => condition.Type == Conditions.Active).Status);
        var writes = world.Writes;
        await types.RunAsync(type, cluster, [BucketTypeClaim.Of(type)], TestContext.Current.CancellationToken);
        Assert.Equal(writes, world.Writes);

        world.Down("example-2");
        type.Status = (await types.RunAsync(type, cluster, [BucketTypeClaim.Of(type)], TestContext.Current.CancellationToken)).Status;
        Assert.Equal(["example-2"], type.Status.MissingOn);
    }

    private static BucketTypeAction Next(BucketType type, ObservedBucketType observed) => BucketTypePlanner.Next(type, observed);

    private static BucketType Accepted(BucketType type)
    {
        type.Status.State = nameof(BucketTypeState.Active);
        return type;
    }

    private static string Refused(BucketType type, ObservedBucketType observed) => Assert.IsType<BucketTypeAction.Refuse>(Next(type, observed)).Reason;

    private static ObservedBucketType Observed(BucketTypeState? state, params string[] missing) => new()
    {
        Cluster = Cluster(),
        Ring = Ring(3),
        AdminAddresses = ["admin-0"],
        Existing = state is null ? null : new ExistingBucketType(state.Value, NodeProps(), [.. missing]),
    };

    /// <summary>As a node tells them: all properties, a few of them as strings.</summary>
    /// <summary>What an update carries where nodes tell the properties of a spec without a word, and besides <paramref name="told"/>.</summary>
    private static string ChangesOf(BucketTypeSpec wanted, string told)
    {
        var actual = BucketTypeProps.ToRiak(new BucketTypeSpec());
        foreach (var (name, value) in JsonNode.Parse(told)!.AsObject())
        {
            actual[name] = value?.DeepClone();
        }

        return BucketTypeProps.Changes(BucketTypeProps.ToRiak(wanted), actual).ToJsonString();
    }

    private static JsonObject NodeProps()
    {
        var props = BucketTypeProps.ToRiak(new BucketTypeSpec());
        (props["delete_mode"], props["write_once"], props["name"]) = ("3000", false, "siblings");
        return props;
    }
}
