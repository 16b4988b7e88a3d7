using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>What breaks a rule, listed whole in the failure.</summary>
internal static class Offenders
{
    /// <summary>Fails with every offender named, and the rule that they break.</summary>
    public static void None(IEnumerable<string> offenders, string rule)
    {
        var found = offenders.ToArray();
        Assert.True(found.Length == 0, $"{rule}:{string.Concat(found.Select(offender => $"\n  {offender}"))}");
    }
}
