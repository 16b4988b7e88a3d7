using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>
/// A counter that many count up and down. In the end it is the sum of what was acknowledged, and of any of the updates whose fate is unknown, each once at most. For many threads.
/// </summary>
internal sealed class CounterKey(ObjectKey key)
{
    private readonly Lock gate = new();
    private long acknowledged;
    private long unknownUp;
    private long unknownDown;

    public ObjectKey Key => key;

    /// <summary>How many updates were acknowledged.</summary>
    public int Acknowledged { get; private set; }

    public void Begin(long amount)
    {
        lock (gate)
        {
            Unknown(amount, of: amount);
        }
    }

    public void Acknowledge(long amount)
    {
        lock (gate)
        {
            Unknown(-amount, of: amount);
            acknowledged += amount;
            Acknowledged++;
        }
    }

    public IReadOnlyList<string> Violations(long value)
    {
        lock (gate)
        {
            var (least, most) = (acknowledged + unknownDown, acknowledged + unknownUp);
            return value >= least && value <= most
                ? []
                : [$"is {value}; what was acknowledged comes to {acknowledged}, and with what is not known to {least} at least and {most} at most"];
        }
    }

    /// <param name="of">Whose sign says which way it counts.</param>
    private void Unknown(long amount, long of)
    {
        if (of > 0)
        {
            unknownUp += amount;
        }
        else
        {
            unknownDown += amount;
        }
    }
}
