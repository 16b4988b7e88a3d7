namespace Kv.Operator.Tests.Stubs;

/// <summary>A pod or process: what it was made from, and for how long it has been up.</summary>
internal sealed class SimulatedProcess(int template)
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(15);
    private int starts;
    private TimeSpan age = TimeSpan.FromHours(1);

    public int Template { get; private set; } = template;

    public string Uid => $"start-{starts}";

    public bool IsStarting => age < StartTime;

    public TimeSpan Uptime => IsStarting ? TimeSpan.Zero : age - StartTime;

    /// <summary>How long its peers have seen it up.</summary>
    public TimeSpan SeenUp { get; private set; } = TimeSpan.FromHours(1);

    public void Elapse(TimeSpan time) => (age, SeenUp) = (age + time, SeenUp + time);

    /// <summary>It was cut off from its peers, and is back.</summary>
    public void Reconnect() => SeenUp = TimeSpan.Zero;

    public void Restart(int newTemplate) => (Template, starts, age) = (newTemplate, starts + 1, TimeSpan.Zero);
}
