using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;

namespace Kv.Simulation.Running;

/// <summary>Clients who ask for what a whole bucket has.</summary>
internal sealed class QueryActor(SimWorld world)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task RunAsync(Query query)
    {
        if (world.Serving(query.Node) is not { } node)
        {
            return;
        }

        world.Calls++;
        var type = world.Plan.Types[query.Type];
        var asked = QueryAnswer.AskAsync(node, type.Bucket, query.Kind, query.PageSize);
        await Task.WhenAny(asked, world.DelayAsync(Patience));
        if (asked.IsFaulted)
        {
            world.Journal.Violation($"{node.Name} threw at a query: {asked.Exception.InnerException}");
        }

        var answer = asked.IsCompletedSuccessfully ? await asked : null;
        world.Journal.Note($"{query.Number,4}   {(answer is null ? "no answer" : $"{answer.Matches.Count} found{(answer.Error is null ? "" : $", then {answer.Error}")}")}");
        if (answer is not null)
        {
            new QueryChecker(world).Check(type, query.Kind, answer);
        }
    }
}
