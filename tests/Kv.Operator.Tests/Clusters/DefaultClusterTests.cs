using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>A Cluster that says nothing but its name.</summary>
public sealed class DefaultClusterTests
{
    private const int MaxPasses = 40;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("{}", 3)]
    [InlineData("""{"nodes":5}""", 5)]
    public async Task Cluster_OfDefaultsAlone_BecomesReady_AndStaysAsItIs(string spec, int nodes)
    {
        var (world, time) = (new SimulatedKubernetes(), new FakeTimeProvider(Build.Now));
        var metadata = new JsonObject { ["name"] = "example", ["namespace"] = "default", ["uid"] = Build.Uid, ["generation"] = 1 };
        world.Api.Put(ResourceKind.Cluster, new JsonObject { ["metadata"] = metadata, ["spec"] = JsonNode.Parse(spec) });
        var operation = new SimulatedOperator(world, time);
        for (var pass = 0; pass < MaxPasses && StatusOf(world, Conditions.Ready) != "True"; pass++)
        {
            await PassAsync();
        }

        Assert.All([Conditions.Ready, Conditions.Available, Conditions.Valid], type => Assert.Equal("True", StatusOf(world, type)));
        Assert.All([Conditions.Degraded, Conditions.Blocked, Conditions.UnderReplicated, Conditions.DiskPressure], type => Assert.Equal("False", StatusOf(world, type)));
        Assert.Equal(nodes, world.Nodes.Members.Count);
        Assert.Empty(world.Nodes.Breaches);

        for (var pass = 0; pass < 5; pass++)
        {
            await PassAsync();
        }

        var writes = world.Api.Writes;
        await PassAsync();
        Assert.Equal(writes, world.Api.Writes);

        async Task PassAsync()
        {
            await operation.PassAsync(TestContext.Current.CancellationToken);
            world.Step(Interval);
            time.Advance(Interval);
        }
    }

    private static string? StatusOf(SimulatedKubernetes world, string type) =>
        (world.Read(ResourceKind.Cluster, "example")!["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(condition => condition!["type"]!.ToString() == type)?["status"]?.ToString();
}
