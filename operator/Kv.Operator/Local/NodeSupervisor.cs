using System.ComponentModel;
using System.Globalization;

namespace Kv.Operator.Local;

/// <summary>
/// Keeps the nodes that should run running, as a kubelet does: one that ended by itself is started again after a delay that lets people watch
/// what its absence does, twice as long each time it ends soon after. Called from one loop only.
/// </summary>
internal sealed class NodeSupervisor(LocalOptions options, LocalFiles files, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);

    /// <summary>A node that ran for so long begins with the shortest delay again.</summary>
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(2);

    /// <summary>Between two tries to start a node whose port, disk or process cannot be had.</summary>
    private static readonly TimeSpan StartRetry = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Slot> slots = new(StringComparer.Ordinal);
    private bool isPidsFileStale;
    private string? pidsProblem;

    private sealed class Slot
    {
        public required NodeSpec Spec { get; set; }

        /// <summary>What the process was started with.</summary>
        public NodeSpec? Started { get; set; }

        public NodeProcess? Process { get; set; }

        /// <summary>When it was asked to end, to be started again at once: by when it must have ended. Else null.</summary>
        public DateTimeOffset? RestartBy { get; set; }

        /// <summary>It starts again with nothing on its disk.</summary>
        public bool IsToBeEmptied { get; set; }

        public DateTimeOffset StartedAt { get; set; }

        public DateTimeOffset? NextStart { get; set; }

        public int Restarts { get; set; }

        public string? Problem { get; set; }
    }

    /// <summary>Ends what an operator that was killed left behind; a process that does not run on this data directory is left alone.</summary>
    public async Task EndLeftoversAsync()
    {
        var left = files.ReadPids().Where(one => Shells.CommandLineOf(one.Pid).Contains(files.DataOf(one.Node), StringComparison.Ordinal)).ToList();
        foreach (var (_, pid) in left)
        {
            Shells.Signal(pid, Shells.Term);
        }

        var deadline = time.GetUtcNow() + options.StopTimeout;
        foreach (var (node, pid) in left)
        {
            while (Shells.CommandLineOf(pid).Contains(files.DataOf(node), StringComparison.Ordinal))
            {
                if (time.GetUtcNow() > deadline)
                {
                    Shells.Signal(pid, Shells.Kill);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), time);
            }
        }

        files.DeletePids();
    }

    /// <summary>Sets which nodes should run. One that is new starts at the next <see cref="Tick"/>; one that is not named any more is ended there.</summary>
    public void Want(IReadOnlyCollection<NodeSpec> nodes)
    {
        foreach (var node in nodes)
        {
            if (slots.TryGetValue(node.Name, out var slot))
            {
                // A changed setting counts from the node's next start on, as on Kubernetes; whoever plans says when that is.
                slot.Spec = node;
                if (!wanted.Contains(node.Name))
                {
                    // It was to end, and is wanted again before it has.
                    slot.RestartBy = time.GetUtcNow() + options.StopTimeout;
                }
            }
            else
            {
                slots[node.Name] = new Slot { Spec = node, NextStart = time.GetUtcNow() };
            }
        }

        foreach (var name in slots.Keys.Except(nodes.Select(node => node.Name), StringComparer.Ordinal).ToList())
        {
            slots[name].Process?.Terminate();
            slots[name].NextStart = null;
            slots[name].RestartBy = null;
            if (slots[name].Process is null)
            {
                slots.Remove(name);
            }
        }

        wanted = nodes.Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
    }

    private HashSet<string> wanted = new(StringComparer.Ordinal);

    public bool IsRunning(string name) => slots.GetValueOrDefault(name)?.Process is { HasExited: false } && slots[name].RestartBy is null;

    /// <summary>Null if it does not run.</summary>
    public int? PidOf(string name) => IsRunning(name) ? slots[name].Process!.Pid : null;

    /// <summary>Whether it runs with other settings than it should have.</summary>
    public bool IsOutdated(string name) =>
        IsRunning(name) && slots[name] is { Started: { } started, Spec: var spec } && !(started.RestartReason == spec.RestartReason && started.Settings.SequenceEqual(spec.Settings));

    /// <summary>Whether there is a process of that name, be it about to end.</summary>
    public bool Has(string name) => slots.ContainsKey(name);

    /// <summary>Asks a node to end, and starts it again as soon as it has; with an empty disk, if so wished.</summary>
    public void Restart(string name, bool withoutData)
    {
        slots[name].RestartBy = time.GetUtcNow() + options.StopTimeout;
        slots[name].IsToBeEmptied |= withoutData;
        slots[name].Process?.Terminate();
    }

    /// <summary>Why a node does not run, for people; null if it does.</summary>
    public string? ProblemOf(string name) => IsRunning(name) ? null : slots.GetValueOrDefault(name)?.Problem;

    /// <summary>Notices nodes that ended and starts those whose time has come. What happened is returned for people to read.</summary>
    public IReadOnlyList<string> Tick()
    {
        var news = new List<string>();
        foreach (var (name, slot) in slots.ToList())
        {
            if (slot.Process is { HasExited: false } && slot.RestartBy < time.GetUtcNow())
            {
                slot.Process.Kill();
            }

            if (slot.Process is { HasExited: true })
            {
                Ended(slot, news);
                isPidsFileStale = true;
                if (!wanted.Contains(name))
                {
                    slots.Remove(name);
                    continue;
                }
            }

            if (slot.Process is null && slot.NextStart <= time.GetUtcNow())
            {
                isPidsFileStale |= TryStart(slot, news);
            }
        }

        WritePids(news);
        return news;
    }

    /// <summary>Ends all nodes: asks, waits, and kills those that did not end in time.</summary>
    public async Task StopAsync()
    {
        foreach (var slot in slots.Values)
        {
            slot.NextStart = null;
            slot.Process?.Terminate();
        }

        var deadline = time.GetUtcNow() + options.StopTimeout;
        while (slots.Values.Any(slot => slot.Process is { HasExited: false }))
        {
            if (time.GetUtcNow() > deadline)
            {
                foreach (var slot in slots.Values.Where(slot => slot.Process is { HasExited: false }))
                {
                    slot.Process!.Kill();
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time);
        }

        files.DeletePids();
    }

    public void Dispose()
    {
        foreach (var slot in slots.Values)
        {
            slot.Process?.Dispose();
        }
    }

    /// <summary>The file is for the guard and the next start: a full disk must not end nodes that serve. Tried again at each tick until it is written, and said once.</summary>
    private void WritePids(List<string> news)
    {
        if (!isPidsFileStale)
        {
            return;
        }

        try
        {
            files.WritePids(Running());
            (isPidsFileStale, pidsProblem) = (false, null);
        }
        catch (WorldException e)
        {
            if (pidsProblem != e.Message)
            {
                news.Add(e.Message);
            }

            pidsProblem = e.Message;
        }
    }

    private IEnumerable<(string Node, int Pid)> Running() => slots.Values
        .Where(slot => slot.Process is { HasExited: false })
        .OrderBy(slot => slot.Spec.Name, StringComparer.Ordinal)
        .Select(slot => (slot.Spec.Name, slot.Process!.Pid));

    private void Ended(Slot slot, List<string> news)
    {
        var code = slot.Process!.ExitCode;
        slot.Process.Dispose();
        slot.Process = null;
        var what = code switch
        {
            137 => "was killed",
            > 128 => string.Create(CultureInfo.InvariantCulture, $"ended by signal {code - 128}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"ended with code {code}; its last words are in {files.LogOf(slot.Spec.Name)}"),
        };
        if (slot.RestartBy is not null && wanted.Contains(slot.Spec.Name))
        {
            Empty(slot, news);
            (slot.RestartBy, slot.IsToBeEmptied, slot.Restarts, slot.NextStart) = (null, false, 0, time.GetUtcNow());
            slot.Problem = "starts again";
            news.Add($"{slot.Spec.Name} ended to be started again");
            return;
        }

        var ranFor = time.GetUtcNow() - slot.StartedAt;
        slot.Restarts = ranFor > HealthyAfter ? 0 : slot.Restarts;
        if (options.RestartAfter is not { } first || !wanted.Contains(slot.Spec.Name))
        {
            slot.NextStart = null;
            slot.Problem = what;
            news.Add($"{slot.Spec.Name} {what}");
            return;
        }

        var delay = first * Math.Pow(2, Math.Min(slot.Restarts, 16));
        delay = delay < LongestDelay ? delay : LongestDelay;
        slot.Restarts++;
        slot.NextStart = time.GetUtcNow() + delay;
        slot.Problem = string.Create(CultureInfo.InvariantCulture, $"{what}; starts again {delay.TotalSeconds:0} s after that");
        news.Add(string.Create(CultureInfo.InvariantCulture, $"{slot.Spec.Name} {what}; it starts again in {delay.TotalSeconds:0} s"));
    }

    private void Empty(Slot slot, List<string> news)
    {
        try
        {
            if (slot.IsToBeEmptied)
            {
                files.DeleteData(slot.Spec.Name);
            }
        }
        catch (WorldException e)
        {
            // It says again that it left, and is emptied again.
            news.Add(e.Message);
        }
    }

    private bool TryStart(Slot slot, List<string> news)
    {
        if (slot.Spec.Ports.FirstOrDefault(port => !PortBlocks.IsFree(port.Value)) is { Key: { } protocol } taken)
        {
            return Postpone(slot, news, string.Create(CultureInfo.InvariantCulture, $"cannot start: port {taken.Value} ({protocol}) is used by another program"));
        }

        try
        {
            Directory.CreateDirectory(files.DataOf(slot.Spec.Name));
            slot.Process = NodeProcess.Start(options.NodeBinary, slot.Spec.Arguments(files.DataOf(slot.Spec.Name)), slot.Spec.Variables, files.LogOf(slot.Spec.Name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception or WorldException)
        {
            // A full disk, no memory for a process: the other nodes go on.
            return Postpone(slot, news, $"cannot start: {e.Message}");
        }

        slot.Started = slot.Spec;
        slot.StartedAt = time.GetUtcNow();
        slot.NextStart = null;
        slot.Problem = null;
        return true;
    }

    /// <summary>Tried again soon; a problem that stays the same is said once. False: nothing was started.</summary>
    private bool Postpone(Slot slot, List<string> news, string problem)
    {
        if (slot.Problem != problem)
        {
            news.Add($"{slot.Spec.Name} {problem}");
        }

        slot.Problem = problem;
        slot.NextStart = time.GetUtcNow() + StartRetry;
        return false;
    }
}
