using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>No queue passes its bound, whatever limits the node itself goes by.</summary>
internal static class QueueChecker
{
    public static void Check(SimNode node, Journal journal)
    {
        foreach (var (name, depth, bound) in node.Queues)
        {
            if (depth > bound)
            {
                journal.Violation($"{node.Name}: {depth} at once, where {name} allows {bound}");
            }
        }
    }
}
