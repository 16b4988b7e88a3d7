using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// How long an acknowledgement holds where objects go by themselves: in memory alone, until as many nodes have forgotten something as confirmed the write; with a `ttl`, until its time is over, if all clocks
/// go alike. Writes of other types hold for good.
/// </summary>
internal sealed class Lifetimes(SimPlan plan, Journal journal)
{
    /// <summary>Stamps are microseconds, rounded down.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    /// <summary>Ten seconds by the slowest clock, at the difference between the slowest and the fastest, and what an answer may take.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(12);

    private readonly Dictionary<string, Life> lives = new(StringComparer.Ordinal);

    /// <summary>Nodes that forgot what was in memory alone, in order.</summary>
    private readonly List<string> forgetful = [];

    /// <summary>Two copies may come to lie on one node, and one be left behind by who is given up.</summary>
    private readonly bool moves = plan.Events.Any(planned => planned is AdminCall.Join or AdminCall.Leave or AdminCall.Replace or AdminCall.Remove or AdminCall.Commit);

    private readonly TimeSpan lowestJump = LowestJump(plan);

    /// <summary>Time goes the same way at all nodes.</summary>
    public bool ClocksAgree { get; } = !plan.Events.Any(planned => planned is Fault.Jump or Fault.Drift);

    /// <summary>
    /// By which the node may say at the least that an object is over: its own clock, or where that is ahead one that others showed. Where clocks do not go alike that is no earlier than any clock has ever been, but for what
    /// one that drifts is off between two looks at the others.
    /// </summary>
    public DateTimeOffset EarliestJudge(SimNode asked, IEnumerable<SimNode> nodes)
    {
        if (ClocksAgree)
        {
            return asked.Clock.Wall;
        }

        var earliest = nodes.Min(node => node.Clock.Wall - node.Clock.Jumped) + lowestJump - BetweenLooks;
        return earliest < asked.Clock.Wall ? earliest : asked.Clock.Wall;
    }

    private static TimeSpan LowestJump(SimPlan plan) => plan.Events.OfType<Fault.Jump>().GroupBy(jump => jump.Node)
        .Select(jumps => jumps.Aggregate((Sum: TimeSpan.Zero, Lowest: TimeSpan.Zero), (so, jump) => (so.Sum + jump.By, Least(so.Lowest, so.Sum + jump.By))).Lowest)
        .DefaultIfEmpty().Min();

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private sealed record Life(BucketPlan Type, TimeSpan Began, int ForgetfulBefore)
    {
        /// <summary>When it was known to be done; null where it may still strike.</summary>
        public TimeSpan? Ended { get; set; }

        /// <summary>So many nodes at least took it.</summary>
        public int Nodes { get; set; } = 1;
    }

    /// <summary>The node forgot what it had in memory alone.</summary>
    public void Forgot(string node) => forgetful.Add(node);

    public void Began(string write, BucketPlan type)
    {
        if (type.IsInMemory || type.TtlSeconds is not null)
        {
            lives.Add(write, new Life(type, journal.Now, forgetful.Count));
        }
    }

    public void Ended(string write)
    {
        if (lives.TryGetValue(write, out var life))
        {
            life.Ended = journal.Now;
        }
    }

    public void Confirmed(string write, int nodes)
    {
        if (lives.TryGetValue(write, out var life))
        {
            life.Nodes = nodes;
        }
    }

    /// <summary>Whether it still has to be there, or what took its place.</summary>
    public bool Holds(string write) => !lives.TryGetValue(write, out var life) || Holds(life, life.Nodes - 1);

    /// <summary>Whether it still has to be on all but so many of the replicas that confirmed it.</summary>
    public bool HoldsOnAllBut(int spared, string write) => !lives.TryGetValue(write, out var life) || Holds(life, spared);

    /// <summary>Whether nobody may be shown it any more.</summary>
    public bool IsOver(string write) =>
        ClocksAgree && lives.TryGetValue(write, out var life) && life is { Ended: { } ended, Type.TtlSeconds: { } seconds } && journal.Now >= ended + TimeSpan.FromSeconds(seconds);

    private bool Holds(Life life, int spared) => Lasts(life) && Forgetful(life) <= (moves || life.Type.NVal > plan.Members ? 0 : spared);

    private bool Lasts(Life life) => life.Type.TtlSeconds is not { } seconds || (ClocksAgree && journal.Now + Rounding < life.Began + TimeSpan.FromSeconds(seconds));

    private int Forgetful(Life life) => life.Type.IsInMemory ? forgetful.Skip(life.ForgetfulBefore).Distinct().Count() : 0;
}
