namespace Kv.Kubectl;

/// <summary>What a command takes from its process beside its arguments.</summary>
/// <param name="Directory">Where the search for a local run begins.</param>
/// <param name="IsPlugin">Called as <c>kubectl kv</c>: a local run is not looked for, the kubeconfig's cluster is meant.</param>
internal sealed record Surroundings(string Directory, bool IsPlugin)
{
    public static Surroundings OfProcess() =>
        new(Environment.CurrentDirectory, Path.GetFileNameWithoutExtension(NameCalledBy()).StartsWith("kubectl-", StringComparison.Ordinal));

    /// <summary>The name in the caller's command, before links are followed: the runtime itself knows only the file they lead to.</summary>
    private static string NameCalledBy()
    {
        const string own = "/proc/self/cmdline";
        try
        {
            return OperatingSystem.IsLinux() ? File.ReadAllText(own).Split('\0')[0] : Environment.ProcessPath ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Environment.ProcessPath ?? "";
        }
    }
}
