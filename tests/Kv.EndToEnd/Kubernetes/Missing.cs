using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>What a test does without something it needs from the machine: it is skipped and says why, but on CI it fails.</summary>
internal static class Missing
{
    public static void Require(string? missing)
    {
        if (missing is null)
        {
            return;
        }
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            Assert.Fail(missing);
        }
        Assert.Skip(missing);
    }
}
