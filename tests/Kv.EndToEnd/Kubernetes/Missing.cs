using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>What a test does without something it needs from the machine: it is skipped and says why, but on CI it fails.</summary>
internal static class Missing
{
    /// <summary>Where all tests run and none is skipped.</summary>
    public static bool IsOnCi => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));

    public static void Require(string? missing)
    {
        if (missing is null)
        {
            return;
        }

        if (IsOnCi)
        {
            Assert.Fail(missing);
        }

        Assert.Skip(missing);
    }
}
