namespace Kv.Simulation.Plans;

/// <summary>
/// Duels that came to be drawn last, in clusters of three from which nobody goes and nothing is lost, and from a stream of their own: each of two administrators asks a member that does not see the other one,
/// and the third, whose vote makes either's majority, restarts between the two. What the first one had decided the third has only as its vote.
/// </summary>
internal sealed class LateDuels
{
    private const int Voters = 3;
    private const int SmallRing = 8;

    /// <summary>The member whom both need.</summary>
    private const int Third = 2;

    private const double LongestRestart = 0.3;

    private static readonly TimeSpan BetweenDuels = TimeSpan.FromSeconds(7);

    /// <summary>Until each of the first two takes the other for down, and itself for the one who decides.</summary>
    private static readonly TimeSpan UntilUnseen = TimeSpan.FromSeconds(4);

    private readonly Random random;
    private readonly SimPlan plan;
    private readonly List<PlannedEvent> events;

    private LateDuels(SimPlan plan)
    {
        this.plan = plan;
        random = new Random(unchecked(plan.Seed * 47));
        events = [.. plan.Events];
    }

    public static SimPlan AddTo(SimPlan plan) => plan.Members == Voters && plan.Losses == 0 && !plan.Moves ? new LateDuels(plan).Add() : plan;

    /// <summary>Whether the third one restarts between two that do not see each other.</summary>
    public static bool AreIn(SimPlan plan) => plan.Events.OfType<Fault.Crash>().Any(crash => plan.Members == Voters
        && crash.DownFor.TotalSeconds <= LongestRestart && plan.Events.OfType<Fault.CutOneWay>().Any(cut => (cut.At, cut.To) == (crash.At, crash.Node)));

    private SimPlan Add()
    {
        if (!Chance(0.7))
        {
            return plan;
        }

        var at = Seconds(0, 1);
        events.Add(new Fault.CutOneWay(Next(), at, 0, 1, plan.Length));
        events.Add(new Fault.SlowLink(Next(), at, Third, 0, 100, plan.Length));
        for (at += UntilUnseen; at < plan.Length - UntilUnseen; at += BetweenDuels)
        {
            DrawDuel(at);
        }

        return plan with { RingSize = SmallRing, Events = [.. events.OrderBy(planned => planned.At).ThenBy(planned => planned.Number)] };
    }

    /// <summary>The third one's answers to the first are slow. So when it dies and hears no more of the first, its vote is likely to be on the way, and what is decided by it not to be told yet.</summary>
    private void DrawDuel(TimeSpan at)
    {
        var type = random.Next(plan.Types.Length);
        var (dies, down) = (at + Seconds(0.04, 0.3), Seconds(0.01, LongestRestart));
        events.Add(new AdminCall.ChangeProps(Next(), at, 0, type, Chance(0.5), """{"r":1}"""));
        events.Add(new Fault.CutOneWay(Next(), dies, 0, Third, Seconds(3, 5)));
        events.Add(new Fault.Crash(Next(), dies, Third, Chance(0.5), down));
        if (Chance(0.5))
        {
            events.Add(new Fault.Crash(Next(), dies + down + Seconds(0.01, 0.3), Third, Chance(0.5), Seconds(0.01, LongestRestart)));
        }

        events.Add(new AdminCall.ChangeProps(Next(), dies + down + Seconds(0, 0.8), 1, type, Chance(0.5), plan.Types[type].NVal > 1 ? """{"r":2}""" : """{"r":"quorum"}"""));
    }

    private int Next() => events.Count + 1;

    private bool Chance(double chance) => random.NextDouble() < chance;

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromSeconds(least + ((most - least) * random.NextDouble()));
}
