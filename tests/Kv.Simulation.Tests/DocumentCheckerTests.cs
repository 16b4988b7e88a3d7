using Kv.Simulation.Checkers;
using Kv.Simulation.Running;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>A plan that nobody asked for, or that is carried out again, is seen.</summary>
public sealed class DocumentCheckerTests
{
    [Theory]
    [InlineData("a", null)]
    [InlineData("x", "plan x is carried out, which no administrator asked for")]
    [InlineData("a b a", "plan a is carried out a second time")]
    [InlineData("a a b", null)]
    public void Plan_IsCarriedOutOnce_AndOnlyWhereSomebodyAsked(string plans, string? problem) => SimCluster.Run(1, 1, async cluster =>
    {
        await cluster.FormAsync(1);
        var (node, journal) = (cluster.Nodes[0], new Journal(cluster.Scheduler));
        var checker = new DocumentChecker(journal);
        checker.Saw(node, node.Document!);
        checker.IsFormed = true;
        checker.Asks("a");
        checker.Asks("b");
        var version = node.Document!.Version;
        foreach (var plan in plans.Split(' '))
        {
            checker.Saw(node, node.Document with { Version = ++version, LastCommittedPlanId = plan });
        }

        Assert.Equal(problem is null ? [] : [problem], journal.Violations);
    });
}
