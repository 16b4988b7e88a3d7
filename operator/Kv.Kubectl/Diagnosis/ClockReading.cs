namespace Kv.Kubectl.Diagnosis;

/// <summary>A node's clock against this machine's, which need not be right: <paramref name="Ahead"/>, give or take <paramref name="Uncertainty"/>.</summary>
internal sealed record ClockReading(TimeSpan Ahead, TimeSpan Uncertainty)
{
    /// <param name="unixMilliseconds">What the node's clock showed at some time between the question and its answer.</param>
    /// <param name="asked">This machine's clock at the question.</param>
    /// <param name="took">Until the answer.</param>
    public static ClockReading Of(long unixMilliseconds, DateTimeOffset asked, TimeSpan took) =>
        new(TimeSpan.FromMilliseconds(unixMilliseconds - (asked + (took / 2)).ToUnixTimeMilliseconds()), took / 2);
}
