using Xunit;
using YamlDotNet.RepresentationModel;
using static Kv.EndToEnd.Charts.RenderedChart;

namespace Kv.EndToEnd.Charts;

/// <summary>What Helm says after an installation: lines to type, in the namespace that the operator looks at. `FirstStepsTests` types them on a cluster.</summary>
public sealed class NotesTests
{
    private const string Url = "http://localhost:8098/types/versions/buckets/greetings/keys/first";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("default")]
    [InlineData("kv-system", "--set", "rbac.scope=namespaces")]
    [InlineData("team-a", "--set", "rbac.scope=namespaces", "--set", "watchNamespaces={team-a,team-b}")]
    [InlineData("data", "--set", "watchNamespaces={data}")]
    public async Task Commands_AreForTheNamespaceThatTheOperatorLooksAfter(string space, params string[] values)
    {
        var notes = await ChartNotes.RenderAsync(values);
        var commands = PrintedCommands.OfText(notes).SelectMany(paragraph => paragraph.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Where(line => line.StartsWith("kubectl ", StringComparison.Ordinal) || line.StartsWith("curl ", StringComparison.Ordinal));
        Assert.Equal(
            [
                "kubectl -n kv-system rollout status deployment/kv-operator",
                $"kubectl -n {space} apply -f - <<EOF",
                $"kubectl -n {space} wait --for=condition=Ready kvc/first --timeout=5m",
                $"kubectl -n {space} wait --for=condition=Active kvbt/versions --timeout=1m",
                $"kubectl -n {space} get kvc,kvbt",
                $"kubectl -n {space} port-forward service/first 8098",
                $"curl -X PUT -H 'Content-Type: text/plain' -d hello {Url}",
                $"curl {Url}",
                $"kubectl kv -n {space} --cluster first put versions greetings second 'hello again'",
                $"kubectl kv -n {space} --cluster first get versions greetings second",
                $"kubectl -n {space} scale kvc/first --replicas=5",
            ],
            commands);
        Assert.Contains($"at the Service first.{space}: riak-http 8098, riak-pb 8087, grpc 9080.", notes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WARNING: crds.create is false", "crds.create=false")]
    [InlineData("the operator sees Clusters in kv-system only", "rbac.scope=namespaces")]
    [InlineData("with one replica, nothing is repaired or scaled", "replicas=1")]
    [InlineData("looks after: team-a,team-b.", "watchNamespaces={team-a,team-b}")]
    public async Task Values_ThatNeedAWord_HaveOne_AndOthersDoNot(string text, string value)
    {
        Assert.Contains(text, await ChartNotes.RenderAsync("--set", value), StringComparison.Ordinal);
        Assert.DoesNotContain(text, await ChartNotes.RenderAsync(), StringComparison.Ordinal);
    }

    /// <summary>By a shell, with programs in place of kubectl and curl that keep what they are given: a manifest that would not end, or a quote too few, shows here.</summary>
    [Fact]
    public async Task Commands_AreWhatAShellTakes_WithAClusterAndABucketTypeOfTheKindsThatThereAre()
    {
        var directory = Directory.CreateTempSubdirectory("kv-notes-");
        try
        {
            foreach (var program in new[] { "kubectl", "curl" })
            {
                var path = Path.Combine(directory.FullName, program);
                await File.WriteAllTextAsync(path, "#!/bin/sh\necho \"$(basename \"$0\") $#\" >>ran\ncase \"$*\" in *'apply -f -'*) cat >applied ;; esac\n", Cancel);
            }

            var environment = new Dictionary<string, string> { ["PATH"] = $"{directory.FullName}:{Environment.GetEnvironmentVariable("PATH")}" };
            var ran = await PrintedCommands.RunAsync($"chmod +x kubectl curl\n{string.Concat(PrintedCommands.OfText(await ChartNotes.RenderAsync()))}", directory.FullName, environment, TimeSpan.FromMinutes(1), Cancel);
            Assert.True(ran.Succeeded, ran.ToString());
            Assert.Equal(11, (await File.ReadAllLinesAsync(Path.Combine(directory.FullName, "ran"), Cancel)).Length);

            var applied = new YamlStream();
            applied.Load(new StringReader(await File.ReadAllTextAsync(Path.Combine(directory.FullName, "applied"), Cancel)));
            Assert.Equal(["Cluster first", "BucketType versions"], applied.Documents.Select(one => $"{Text(one.RootNode, "kind")} {Text(one.RootNode, "metadata", "name")}"));
            Assert.Equal("first", Text(applied.Documents[1].RootNode, "spec", "clusterRef", "name"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
