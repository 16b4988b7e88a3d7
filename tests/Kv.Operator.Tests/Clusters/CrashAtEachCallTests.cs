using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>
/// The whole operator on a Kubernetes in memory. A scenario is run once, and its calls that change anything are listed: objects, evictions, finalizers, status, events, and what nodes are
/// asked. Then it is run again for each of them, and the operator ends there: before the first call, after each one took effect (which is before the next one: nothing but calls
/// is remembered), or stands still before the call while the next operator works, and goes on when that one has done all. Each time everything ends as if nothing had happened, and nothing happens on the way that should not.
/// </summary>
public sealed class CrashAtEachCallTests
{
    private const int MaxPasses = 150;
    private const int QuietPasses = 4;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>What says when something happened, or how often.</summary>
    private static readonly HashSet<string> Times = new(StringComparer.Ordinal)
    {
        "resourceVersion", "managedFields", "lastTransitionTime", "startedAt", "lastProgressAt", "version",
    };

    private static readonly Dictionary<string, Scenario> Scenarios = new(StringComparer.Ordinal)
    {
        ["create"] = new(3, []) { BeginsWithNothing = true, HasType = true },
        ["scale-out"] = new(3, [new(world => Scale(world, 5))]),
        ["scale-in"] = new(5, [new(world => Scale(world, 3))]),
        ["scale-in and out again"] = new(4, [new(world => Scale(world, 3)), new(world => Scale(world, 4))]),
        ["scale-in, and the volumes go"] = new(4, [new(world => Scale(world, 3))]) { Storage = """{"retention":{"whenScaled":"Delete"}}""" },
        ["scale-in that is taken back"] = new(4, [new(world => Scale(world, 3)), new(world => Scale(world, 4), world => world.Nodes.StagedLeaves > 0)]),
        ["scale-out that is taken back"] = new(3, [new(world => Scale(world, 4)), new(world => Scale(world, 3), world => world.Nodes.StagedJoins > 0)]),
        ["replace a named node"] = new(4, [new(world => Edit(world, spec => spec["leavingNodes"] = new JsonArray(world.Nodes.IdOf("example-1"))))]),
        ["replace a lost volume"] = new(4, [new(LoseOne)]),
        ["remove a dead node"] = new(4, [new(RemoveDead)]),
        ["a partition rots"] = new(3, [new(world => world.Nodes.Rot(4))]),
        ["restart"] = new(3, [new(world => Edit(world, spec => spec["restartReason"] = "because"))]),
        ["upgrade"] = new(3, [new(world => Edit(world, spec => (spec["image"], spec["config"]) = ("registry.example/kv-node:2", new JsonObject { ["handoff-concurrency"] = "4" })))]),
        ["bucket type changes"] = new(3, [new(world => world.Edit(ResourceKind.BucketType, "siblings", spec => spec["allowMult"] = false))]) { HasType = true },
        ["delete"] = new(3, [new(world => world.Api.Delete(ResourceKind.Cluster, "example"))]),
        ["delete, and the volumes go"] = new(3, [new(world => world.Api.Delete(ResourceKind.Cluster, "example"))]) { Storage = """{"retention":{"whenDeleted":"Delete"}}""" },
    };

    /// <summary>What an operator that is left alone needs the right to, in all scenarios.</summary>
    internal static async Task<IEnumerable<string>> RightsAsync()
    {
        var rights = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var scenario in Scenarios.Values)
        {
            rights.UnionWith((await RunAsync(scenario, 0, LastCall.Unsent)).Rights);
        }

        return rights;
    }

    public static TheoryData<string> Names => [.. Scenarios.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Operator_ThatEndsAtAnyCall_LeavesItToTheNextAsIfItHadNotEnded(string name)
    {
        var scenario = Scenarios[name];
        var undisturbed = await RunAsync(scenario, 0, LastCall.Unsent);
        Assert.True(undisturbed.Calls.Count > (name == "delete" ? -1 : 0), "a scenario without changes shows nothing");
        Assert.Empty(undisturbed.Breaches);
        var wrong = new List<string>();
        for (var call = 1; call <= undisturbed.Calls.Count; call++)
        {
            foreach (var how in call == 1 ? Enum.GetValues<LastCall>() : [LastCall.Unanswered, LastCall.Late])
            {
                var run = await RunAsync(scenario, call, how);
                if (Difference(undisturbed, run, how) is { } difference)
                {
                    wrong.Add($"{name}, {how} at call {call} ({undisturbed.Calls[call - 1]}): {difference}");
                }
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {(undisturbed.Calls.Count * 2) + 1}: {string.Join("\n", wrong)}");
    }

    private static string? Difference(Outcome undisturbed, Outcome run, LastCall how)
    {
        if (!run.WasEnded)
        {
            return "there is no such call";
        }

        if (run.Breaches.Count > 0)
        {
            return string.Join("; ", run.Breaches);
        }

        var (missing, added) = (undisturbed.Objects.Except(run.Objects).Take(2).ToList(), run.Objects.Except(undisturbed.Objects).Take(2).ToList());
        if (missing.Count + added.Count > 0)
        {
            return $"\n  not {string.Join("\n  not ", missing)}\n  but {string.Join("\n  but ", added)}";
        }

        // One that looks once more may see more. While one stands still time passes, and what nobody looked at in it is not told.
        var untold = how == LastCall.Late ? [] : undisturbed.Events.Except(run.Events).ToList();
        return untold.Count > 0 ? $"not told: {string.Join(", ", untold)}" : null;
    }

    private static async Task<Outcome> RunAsync(Scenario scenario, int call, LastCall how)
    {
        var run = new Run();
        run.World.Api.Put(ResourceKind.Cluster, Object("example", Build.Uid, new JsonObject { ["nodes"] = scenario.Nodes, ["storage"] = JsonNode.Parse(scenario.Storage) }));
        if (scenario.HasType)
        {
            run.World.Api.Put(ResourceKind.BucketType, Object("siblings", "type", new JsonObject { ["clusterRef"] = new JsonObject { ["name"] = "example" } }));
        }

        if (!scenario.BeginsWithNothing)
        {
            await run.UntilQuietAsync();
        }

        var first = run.Operator;
        first.Calls.EndAt(call, how);
        foreach (var step in scenario.Steps)
        {
            await run.UntilAsync(step.When);
            step.Act(run.World);
        }

        await run.UntilQuietAsync();
        if (how == LastCall.Late)
        {
            await run.ResumeAsync();
            await run.UntilQuietAsync();
        }

        return new Outcome(first.Calls.Changes, run.Operator != first, run.World.Nodes.Breaches, ObjectsOf(run.World), EventsOf(run.World)) { Rights = first.Rights.Rights };
    }

    private static List<string> ObjectsOf(SimulatedKubernetes world)
    {
        var objects = world.Api.Snapshot().Where(pair => pair.Value["kind"]!.ToString() != "Event").Select(pair => $"{pair.Key} {WithoutTimes(pair.Value)!.ToJsonString()}").ToList();
        var removed = string.Join(",", world.Nodes.Removed.Order(StringComparer.Ordinal));
        objects.Add($"rings {world.Nodes.RingsCreated}, commits {world.Nodes.Commits}, members {string.Join(",", world.Nodes.Members.Order(StringComparer.Ordinal).Select(world.Nodes.IdOf))}, "
            + $"staged {world.Nodes.StagedJoins} and {world.Nodes.StagedLeaves}, removed {removed}, volumes deleted {world.Nodes.VolumesDeleted}, restarts {world.Nodes.Restarts}");
        objects.Sort(StringComparer.Ordinal);
        return objects;
    }

    /// <summary>Which condition became what; which step it was at then may be another, if that step was done when the operator ended.</summary>
    private static List<string> EventsOf(SimulatedKubernetes world) =>
        [.. world.Api.Snapshot().Values.Where(item => item["kind"]!.ToString() == "Event").Select(item => $"event {item["type"]} {item["message"]}".Split(':')[0]).Order(StringComparer.Ordinal)];

    private static JsonNode? WithoutTimes(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Where(pair => !Times.Contains(pair.Key)).Select(pair => KeyValuePair.Create(pair.Key, WithoutTimes(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(WithoutTimes)]),
        _ => node?.DeepClone(),
    };

    private static JsonObject Object(string name, string uid, JsonObject spec) =>
        new() { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["uid"] = uid, ["generation"] = 1 }, ["spec"] = spec };

    private static void Edit(SimulatedKubernetes world, Action<JsonObject> change) => world.Edit(ResourceKind.Cluster, "example", change);

    private static void Scale(SimulatedKubernetes world, int nodes) => Edit(world, spec => spec["nodes"] = nodes);

    private static void LoseOne(SimulatedKubernetes world)
    {
        Edit(world, spec => spec["lostNodes"] = new JsonArray(world.Nodes.IdOf("example-1")));
        world.LoseVolume("example-1");
    }

    private static void RemoveDead(SimulatedKubernetes world)
    {
        Edit(world, spec => (spec["nodes"], spec["lostNodes"]) = (3, new JsonArray(world.Nodes.IdOf("example-3"))));
        world.Nodes.Down("example-3");
    }

    /// <summary>Something that a person does, as soon as the cluster is as it should be or <paramref name="When"/> holds.</summary>
    private sealed record Step(Action<SimulatedKubernetes> Act, Func<SimulatedKubernetes, bool>? When = null);

    private sealed record Scenario(int Nodes, Step[] Steps)
    {
        public bool BeginsWithNothing { get; init; }

        public bool HasType { get; init; }

        public string Storage { get; init; } = "{}";
    }

    private sealed record Outcome(List<string> Calls, bool WasEnded, List<string> Breaches, List<string> Objects, List<string> Events)
    {
        public IReadOnlyList<string> Rights { get; init; } = [];
    }

    /// <summary>A world, and the operator that works there now.</summary>
    private sealed class Run
    {
        private readonly FakeTimeProvider time = new(Build.Now);

        private SimulatedOperator? paused;
        private Task pausedWork = Task.CompletedTask;

        public Run() => Operator = new SimulatedOperator(World, time);

        public SimulatedKubernetes World { get; } = new();

        public SimulatedOperator Operator { get; private set; }

        public Task UntilQuietAsync() => UntilAsync(null);

        /// <summary>The one that stands still ends its pass.</summary>
        public Task ResumeAsync()
        {
            paused!.Calls.Resume();
            return pausedWork;
        }

        /// <summary>Until <paramref name="holds"/>; without it, until nothing has been changed for a while and nothing is on the way.</summary>
        public async Task UntilAsync(Func<SimulatedKubernetes, bool>? holds)
        {
            var quiet = 0;
            for (var pass = 0; pass < MaxPasses; pass++)
            {
                if (holds is null ? quiet == QuietPasses : holds(World))
                {
                    return;
                }

                var before = World.Api.Writes + World.Nodes.Writes;
                var work = Operator.PassAsync(TestContext.Current.CancellationToken);
                if (await Task.WhenAny(work, Operator.Calls.Paused) != work)
                {
                    (paused, Operator) = (Operator, new SimulatedOperator(World, time));
                    pausedWork = work;
                }
                else if (Operator.Calls.IsOver)
                {
                    // Followed at once, so that the next one sees what this one saw.
                    Operator = new SimulatedOperator(World, time);
                    continue;
                }

                World.Step(Interval);
                time.Advance(Interval);
                quiet = World.Api.Writes + World.Nodes.Writes == before && IsAtRest() ? quiet + 1 : 0;
            }

            Assert.Fail($"after {MaxPasses} passes it is not done: {World.Read(ResourceKind.Cluster, "example")?["status"]?.ToJsonString()}");
        }

        private bool IsAtRest() => World.Read(ResourceKind.Cluster, "example") is not { } cluster
            || (cluster["status"]?["conditions"] as JsonArray)?.Any(condition => condition!["type"]!.ToString() == Conditions.Progressing && condition["status"]!.ToString() == "False") == true;
    }
}
