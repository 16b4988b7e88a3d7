using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>No queue passes its bound.</summary>
internal static class QueueChecker
{
    public static void Check(SimNode node, SimPlan plan, Journal journal)
    {
        var deepest = node.Node.Statistics.MailboxDepth?.Invoke().Deepest ?? 0;
        if (deepest > plan.QueueBound)
        {
            journal.Violation($"{node.Name}: {deepest} commands in a mailbox of {plan.QueueBound}");
        }

        if (node.Node.Client.Active > plan.QueueBound)
        {
            journal.Violation($"{node.Name}: {node.Node.Client.Active} requests at once, of {plan.QueueBound} allowed");
        }
    }
}
