using Xunit;

namespace Kv.Operator.Tests.Stubs;

/// <summary>For what other threads bring about, and nobody tells of.</summary>
internal static class Poll
{
    private const int MaxTurns = 5000;

    /// <summary>Looks once a millisecond, or less often on a busy machine, until it holds, a bounded number of times. What the test asserts next says what did not come about.</summary>
    public static async Task UntilAsync(Func<bool> holds, Action? meanwhile = null)
    {
        for (var turn = 0; turn < MaxTurns && !holds(); turn++)
        {
            meanwhile?.Invoke();
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
