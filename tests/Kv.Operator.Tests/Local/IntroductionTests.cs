using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.Local;
using Kv.Operator.Manifests;
using Kv.Operator.Tests.Kubectl;
using Kv.Operator.Tests.Stubs;
using Kv.Protos.Kv.V1;
using Xunit;
using BucketType = Kv.Operator.Api.BucketTypes.BucketType;

namespace Kv.Operator.Tests.Local;

/// <summary>The lines that a newcomer copies do what they say.</summary>
public sealed partial class IntroductionTests
{
    /// <summary>States of the cluster and of a type of it: the lines that a person types at once must not meet a type that is not there yet.</summary>
    [Theory]
    [InlineData("Ready=False", null, false)]
    [InlineData("Ready=True", null, true)]
    [InlineData("Ready=True", "", false)]
    [InlineData("Ready=True", "Accepted=True Active=False", false)]
    [InlineData("Ready=True", "Accepted=Unknown Active=False", false)]
    [InlineData("Ready=True", "Accepted=False Active=False", true)]
    [InlineData("Ready=True", "Accepted=True Active=True", true)]
    [InlineData("Ready=False", "Accepted=True Active=True", false)]
    public void Introduction_WaitsForTheTypesToo(string cluster, string? type, bool isDue)
    {
        var (of, types) = (Build.Cluster(), new List<BucketType> { Other("elsewhere", "default"), Other("example", "another") });
        of.Status.Conditions = Conditions(cluster);
        if (type is not null)
        {
            types.Add(Build.BucketType());
            types[^1].Status.Conditions = Conditions(type);
        }

        Assert.Equal(isDue, Introduction.IsDue(of, types, Build.Now));

        // Neither a pause nor a node that is away keeps a ready cluster's addresses back.
        of.Spec.Paused = true;
        Assert.Equal(cluster == "Ready=True", Introduction.IsDue(of, types, Build.Now));
        of.Spec.Paused = false;
        Assert.Equal(cluster == "Ready=True", Introduction.IsDue(of, types, Build.Now + Introduction.Patience));

        static BucketType Other(string of, string @namespace)
        {
            var type = Build.BucketType(spec => spec.ClusterRef.Name = of);
            type.Metadata.NamespaceProperty = @namespace;
            return type;
        }

        static List<Condition> Conditions(string states) =>
            [.. states.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(state => state.Split('=')).Select(pair => new Condition { Type = pair[0], Status = pair[1], LastTransitionTime = Build.Now })];
    }

    [Fact]
    public async Task Lines_OfTheCommandLine_PutAnObjectAndGetIt()
    {
        await using var node = await StubNode.StartAsync(request => request is PutRequest ? new PutResponse() : Samples.Found(Samples.Sibling("t1", Google.Protobuf.ByteString.CopyFromUtf8("it"))));
        var lines = Introduction.Lines(Ready(), [Node("example-0", node.Address)], $"bin/kv --endpoint {node.Address}").Select(line => line.Trim()).ToList();
        Assert.Equal("example is ready: 1 nodes, 64 partitions.", lines[0]);
        foreach (var line in lines.Where(line => line.StartsWith("bin/kv ", StringComparison.Ordinal)))
        {
            var run = await KvRun.OfAsync([.. Word().Matches(line["bin/kv ".Length..]).Select(word => word.Value.Trim('\''))]);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
        }

        var requests = node.Requests.ToList();
        var put = Assert.IsType<PutRequest>(requests[0]);
        Assert.Equal("hello again", put.Content.Value.ToStringUtf8());
        Assert.Equal(put.Key, Assert.IsType<GetRequest>(requests[1]).Key);
        Assert.Equal(2, requests.Count);
    }

    [Fact]
    public void Lines_WithoutTheCommandLine_HaveCurlAlone()
    {
        var lines = Introduction.Lines(Ready(), [Node("example-0", "127.0.0.1:9080")], null).ToList();
        Assert.Equal(2, lines.Count(line => line.Contains("curl", StringComparison.Ordinal) && line.Contains("http://127.0.0.1:8098/buckets/greetings/keys/first", StringComparison.Ordinal)));
        Assert.DoesNotContain(lines, line => line.Contains("kv put", StringComparison.Ordinal) || line.Contains("kv get", StringComparison.Ordinal));
    }

    [Fact]
    public void CommandLine_IsToldAnAddress_OnlyWhereItWouldNotFindTheNodes()
    {
        Assert.Equal("bin/kv", Introduction.CommandLine("/home/me/kv/bin/kv", "/home/me/kv", "/home/me/kv/.kv", "127.0.0.1:9080"));
        Assert.Equal("bin/kv --endpoint 127.0.0.1:9080", Introduction.CommandLine("/home/me/kv/bin/kv", "/home/me/kv", "/data/kv", "127.0.0.1:9080"));
        Assert.Null(Introduction.CommandLine(null, "/home/me/kv", "/home/me/kv/.kv", "127.0.0.1:9080"));
    }

    private static Cluster Ready()
    {
        var cluster = Build.Cluster(1);
        cluster.Status.Ring = new RingStatus { Partitions = 64 };
        return cluster;
    }

    private static NodeSpec Node(string name, string grpc) => new(
        name,
        "",
        new Dictionary<string, int> { [Ports.RiakPb] = 8087, [Ports.RiakHttp] = 8098, [Ports.Grpc] = int.Parse(grpc.Split(':')[1], CultureInfo.InvariantCulture) },
        ImmutableSortedDictionary<string, string>.Empty);

    [Fact]
    public void TheCommandLine_IsFoundBesideTheProgram_ElseWhereTheTreeLinksIt()
    {
        var tree = Directory.CreateTempSubdirectory("kv-introduction-").FullName;
        try
        {
            var programs = Directory.CreateDirectory(Path.Combine(tree, "programs")).FullName;
            Assert.Null(Introduction.FindCommandLine(programs, tree));
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(tree, "bin")).FullName, "kv"), "");
            Assert.Equal(Path.Combine(tree, "bin", "kv"), Introduction.FindCommandLine(programs, tree));
            File.WriteAllText(Path.Combine(programs, "kv"), "");
            Assert.Equal(Path.Combine(programs, "kv"), Introduction.FindCommandLine(programs, tree));
        }
        finally
        {
            Directory.Delete(tree, recursive: true);
        }
    }

    /// <summary>As a shell takes a line apart, where nothing but single quotes is in it.</summary>
    [GeneratedRegex("'[^']*'|[^ ]+")]
    private static partial Regex Word();
}
