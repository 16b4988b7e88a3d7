namespace Kv.TestKit;

/// <summary>
/// The one-thread world: virtual time, a queue of what is ready and a queue of what is due, and one seeded source of chance. The same seed gives the same
/// order of everything. Time passes only when nothing is ready. Parts run in a <see cref="SimContext"/>, which can die.
/// </summary>
public sealed class SimScheduler
{
    private readonly Queue<(SimContext Context, Action Work)> ready = new();
    private readonly PriorityQueue<Due, (long At, long Order)> due = new();
    private readonly List<string> trace = [];
    private long order;
    private ulong traceHash = 14695981039346656037;

    public SimScheduler(int seed)
    {
        Seed = seed;
        Random = new Random(seed);
        World = new SimContext(this, "world", new SimClock(this));
    }

    public int Seed { get; }

    /// <summary>Chance for the world itself: delays, faults, workloads. Parts that draw get a source of their own, made from it.</summary>
    public Random Random { get; }

    /// <summary>The context of the story itself, which does not die.</summary>
    public SimContext World { get; }

    /// <summary>Ticks of virtual time, 100 ns each.</summary>
    public long Now { get; private set; }

    /// <summary>A story that takes more steps than this is taken for one that never ends.</summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>What was traced, last lines only; for a person who looks at a failure.</summary>
    public IReadOnlyList<string> Trace => trace;

    /// <summary>A hash of every traced line in order: equal for equal runs.</summary>
    public ulong TraceHash => traceHash;

    internal sealed class Due(SimContext context, Action work)
    {
        public SimContext Context { get; } = context;

        public Action Work { get; } = work;

        public bool IsCanceled { get; set; }
    }

    /// <summary>Sees every traced line, for who wants all of them.</summary>
    public Action<string>? OnNote { get; set; }

    /// <summary>Events that have happened.</summary>
    public long Steps { get; private set; }

    public SimContext CreateContext(string name, SimClock? clock = null) => new(this, name, clock ?? new SimClock(this));

    public void Note(string line)
    {
        var text = $"{TimeSpan.FromTicks(Now):c} {line}";
        foreach (var letter in text)
        {
            traceHash = (traceHash ^ letter) * 1099511628211;
        }

        if (trace.Count == 5000)
        {
            trace.RemoveRange(0, 2500);
        }

        trace.Add(text);
        OnNote?.Invoke(text);
    }

    /// <summary>Runs a story from beginning to end. Its exception is thrown here; a world in which nothing will ever happen again ends it with one.</summary>
    public void Run(Func<Task> story)
    {
        var running = World.Enter(story);
        for (Steps = 0; !running.IsCompleted; Steps++)
        {
            if (Steps > MaxSteps || !Step())
            {
                throw new InvalidOperationException($"seed {Seed}: the story hangs at {TimeSpan.FromTicks(Now)} after {Steps} steps");
            }
        }

        running.GetAwaiter().GetResult();
    }

    /// <summary>Runs a story that gives something.</summary>
    public T Run<T>(Func<Task<T>> story)
    {
        T result = default!;
        Run(async () => { result = await story(); });
        return result;
    }

    internal void Post(SimContext context, Action work) => ready.Enqueue((context, work));

    internal Due Schedule(SimContext context, long delayTicks, Action work)
    {
        var item = new Due(context, work);
        due.Enqueue(item, (Now + Math.Max(0, delayTicks), order++));
        return item;
    }

    /// <summary>False when nothing is ready and nothing is due.</summary>
    private bool Step()
    {
        if (ready.TryDequeue(out var next))
        {
            next.Context.Invoke(next.Work);
            return true;
        }

        while (due.TryDequeue(out var item, out var when))
        {
            if (item.IsCanceled || item.Context.IsDead)
            {
                continue;
            }

            Now = Math.Max(Now, when.At);
            item.Context.Invoke(item.Work);
            return true;
        }

        return false;
    }
}
