namespace Kv.Operator;

/// <summary>
/// When to look again: after an action, while something is awaited, and when there is nothing to do (the nodes tell nobody when their ring
/// changes, so they are asked).
/// </summary>
internal sealed record PassIntervals(TimeSpan Acting, TimeSpan Waiting, TimeSpan Idle)
{
    public static PassIntervals Kubernetes { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30));

    public static PassIntervals Local { get; } = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2));
}
