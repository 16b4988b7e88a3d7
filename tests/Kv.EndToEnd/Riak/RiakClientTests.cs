using Kv.EndToEnd.Local;
using Xunit;

namespace Kv.EndToEnd.Riak;

/// <summary>
/// An application written for Riak: the npm package `basho-riak-client` as its authors left it, against three nodes. Every command of it that is served is used; what each has to answer
/// is in `client/`.
/// </summary>
public sealed class RiakClientTests
{
    private static readonly (string Name, string Props)[] Types =
    [
        ("props", """{"allow_mult":true}"""),
        ("counters", """{"datatype":"counter"}"""),
        ("sets", """{"datatype":"set"}"""),
        ("gsets", """{"datatype":"gset"}"""),
        ("maps", """{"datatype":"map"}"""),
        ("hlls", """{"datatype":"hll"}"""),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryCommandOfRiaksNodeClient_AgainstThreeNodes()
    {
        await using var run = await StartAsync();
        await UseAsync(run, []);
    }

    [Fact]
    public async Task EveryCommandOfRiaksNodeClient_WithANodeKilledInTheMiddle()
    {
        await using var run = await StartAsync();
        await UseAsync(run, new() { ["KILL"] = $"{run.Pids()["example-1"]}" });
    }

    private static async Task<LocalRun> StartAsync()
    {
        var run = await LocalRun.StartAsync(3, Cancel);
        foreach (var (name, props) in Types)
        {
            await Rings.CreateTypeAsync(run, name, props, Cancel);
        }

        await Rings.TypesActiveAsync(run, ["siblings", "plain", .. Types.Select(type => type.Name)], Cancel);
        return run;
    }

    private static async Task UseAsync(LocalRun run, Dictionary<string, string> environment)
    {
        var used = await NodePackages.RunAsync(SourceTree.Path("tests", "Kv.EndToEnd", "Riak", "client"), "tests.js", run.Endpoints("riak-pb"), environment, TimeSpan.FromMinutes(5), Cancel);
        Assert.True(used.Succeeded, $"{used}\n{run.Output}");
        Assert.Matches("(?m)^# pass [1-9]", used.Output);
    }
}
