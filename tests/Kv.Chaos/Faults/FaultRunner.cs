using System.Collections.Concurrent;
using System.Globalization;
using Kv.Chaos.Machines;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Faults;

/// <summary>Carries a schedule out, each fault from its beginning to its end, whatever the others do.</summary>
internal sealed class FaultRunner(ChaosRing ring, MemberChanges changes, Timeline timeline, Action<string> say)
{
    /// <summary>Below what a node wants free (512 MiB) and above nothing.</summary>
    private const long NearlyFullBytes = 300L << 20;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(120);
    private readonly ConcurrentQueue<string> problems = [];

    /// <summary>What went otherwise than it should while faults ran.</summary>
    public IReadOnlyCollection<string> Problems => problems;

    /// <summary>Seconds by which clocks were off at most, one way and the other together.</summary>
    public double ClockError { get; private set; }

    /// <summary>Runs them all, from now; ends when the last has ended.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> faults, CancellationToken stop)
    {
        var begun = timeline.Now;
        var running = new List<Task>();
        foreach (var fault in faults)
        {
            if (!await Waits.ForAsync(TimeSpan.FromSeconds(begun + fault.At - timeline.Now), stop))
            {
                break;
            }

            running.Add(OneAsync(fault, stop));
        }

        await Task.WhenAll(running);
    }

    private Task OneAsync(Fault fault, CancellationToken stop)
    {
        var running = ring.Wanted;
        var nodes = fault.Kind is FaultKind.KillAll ? [.. running] : fault.Ranks.Where(rank => rank < running.Count).Select(rank => running[rank]).ToList();
        var first = nodes[0];
        var others = running.Except([first]).ToList();
        return fault.Kind switch
        {
            FaultKind.KillOne or FaultKind.KillSeveral or FaultKind.KillAll =>
                HoldAsync(fault, "kill -9", nodes, node => node.HoldDown(), node => node.ReleaseDown(), stop),
            FaultKind.Pause => HoldAsync(fault, "SIGSTOP", nodes, node => node.HoldPaused(), node => node.ReleasePaused(), stop),
            FaultKind.Split => RulesAsync(fault, "cut off from the others", nodes, Between(nodes, [.. running.Except(nodes)], both: true), stop),
            FaultKind.Deaf => RulesAsync(fault, $"not heard by {Names(nodes.Skip(1))}", [first], Between([first], [.. nodes.Skip(1)], both: false), stop),
            FaultKind.Isolate => RulesAsync(fault, "unplugged", nodes, [new NetworkRule.DropAll(first.Slot)], stop),
            FaultKind.SlowLink => RulesAsync(fault, "slow link", nodes, [.. nodes.Select(node => new NetworkRule.Slow(node.Slot))], stop),
            FaultKind.LossyLink => RulesAsync(fault, $"loses {fault.Amount}% of packets", nodes, [.. nodes.Select(node => new NetworkRule.Loss(node.Slot, fault.Amount))], stop),
            FaultKind.NearlyFullDisk => FillAsync(fault, first, NearlyFullBytes, stop),
            FaultKind.FullDisk => FillAsync(fault, first, 0, stop),
            FaultKind.ClockJump => JumpAsync(fault, first, stop),
            FaultKind.RollingRestart => RollAsync(nodes, stop),
            FaultKind.Scale => changes.ScaleAsync(fault.Ranks),
            FaultKind.LoseVolume => changes.LoseVolumeAsync(first),
            FaultKind.BitRot => changes.RotAsync(first, fault.Amount),
            _ => throw new InvalidOperationException($"{fault.Kind} is nobody's"),
        };
    }

    private static string Names(IEnumerable<ChaosNode> nodes) => string.Join(", ", nodes.Select(node => node.Name));

    private static List<NetworkRule> Between(IReadOnlyList<ChaosNode> these, IReadOnlyList<ChaosNode> those, bool both)
    {
        var rules = new List<NetworkRule>();
        foreach (var (a, b) in these.SelectMany(a => those.Select(b => (a, b))))
        {
            rules.Add(new NetworkRule.DropFrom(b.Slot, a.Slot));
            if (both)
            {
                rules.Add(new NetworkRule.DropFrom(a.Slot, b.Slot));
            }
        }

        return rules;
    }

    private async Task LastAsync(Fault fault, string what, IReadOnlyList<ChaosNode> nodes, Func<Task> begin, Func<Task> end, CancellationToken stop)
    {
        var record = timeline.Begin(fault.Kind.ToString(), what, [.. nodes.Select(node => node.Slot)]);
        say($"{what}: {Names(nodes)}, for {fault.Seconds.ToString("0", CultureInfo.InvariantCulture)} s");
        await begin();
        await Waits.ForAsync(TimeSpan.FromSeconds(fault.Seconds), stop);
        await end();
        record.To = timeline.Now;
        say($"over: {what}: {Names(nodes)}");
    }

    private Task HoldAsync(Fault fault, string what, List<ChaosNode> nodes, Action<ChaosNode> hold, Action<ChaosNode> release, CancellationToken stop) =>
        LastAsync(fault, what, nodes, () => EachAsync(nodes, hold), () => EachAsync(nodes, release), stop);

    private static Task EachAsync(List<ChaosNode> nodes, Action<ChaosNode> act)
    {
        nodes.ForEach(act);
        return Task.CompletedTask;
    }

    private Task RulesAsync(Fault fault, string what, List<ChaosNode> nodes, IReadOnlyList<NetworkRule> rules, CancellationToken stop) =>
        LastAsync(fault, what, nodes, () => ring.Network.AddAsync(rules), () => ring.Network.RemoveAsync(rules), stop);

    private Task FillAsync(Fault fault, ChaosNode node, long leave, CancellationToken stop) => LastAsync(
        fault,
        leave == 0 ? "disk full" : "disk nearly full",
        [node],
        () =>
        {
            node.HoldFull();
            return node.Volume.FillAsync(leave);
        },
        () =>
        {
            node.Volume.Release();
            node.ReleaseFull();
            return Task.CompletedTask;
        },
        stop);

    private Task JumpAsync(Fault fault, ChaosNode node, CancellationToken stop) => LastAsync(
        fault,
        string.Create(CultureInfo.InvariantCulture, $"clock {(fault.Amount < 0 ? "back" : "ahead")} {Math.Abs(fault.Amount)} s"),
        [node],
        () =>
        {
            ClockError = Math.Max(ClockError, 2 * Math.Abs(fault.Amount));
            node.Clock.Set(fault.Amount);
            return Task.CompletedTask;
        },
        () =>
        {
            node.Clock.Set(0);
            return Task.CompletedTask;
        },
        stop);

    private async Task RollAsync(List<ChaosNode> nodes, CancellationToken stop)
    {
        foreach (var node in nodes.TakeWhile(_ => !stop.IsCancellationRequested))
        {
            var record = timeline.Begin(nameof(FaultKind.RollingRestart), "restart", [node.Slot]);
            say($"restart: {node.Name}");
            if (await node.StopAsync(StopPatience) is { } problem)
            {
                problems.Enqueue(problem);
            }

            node.Look();
            if (await Waits.UntilNoneAsync(() => Probes.WhyNotReadyAsync(node), ReadyPatience, stop) is { } reason && !stop.IsCancellationRequested)
            {
                problems.Enqueue($"{node.Name} was not ready {ReadyPatience.TotalSeconds:0} s after its restart: {reason}");
            }

            record.To = timeline.Now;
        }
    }
}
