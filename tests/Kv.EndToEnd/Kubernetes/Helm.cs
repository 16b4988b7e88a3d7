namespace Kv.EndToEnd.Kubernetes;

/// <summary>A real Helm, as <c>tests/kube/helm</c> finds or fetches it, and the chart.</summary>
internal static class Helm
{
    private static readonly Lazy<Task<Command>> Found =
        new(() => Command.RunAsync(SourceTree.Path("tests", "kube", "helm"), [], TimeSpan.FromMinutes(5)));

    public static string Chart => SourceTree.Path("charts", "kv-operator");

    /// <summary>The path of the program; without one the test is skipped, or fails on CI.</summary>
    public static async Task<string> PathAsync()
    {
        var found = await Found.Value;
        Missing.Require(found.Succeeded ? null : $"no Helm: {found.Error.Trim()}");
        return found.Output.Trim();
    }

    /// <summary>Runs Helm apart from any cluster.</summary>
    public static async Task<Command> RunAsync(params string[] arguments) =>
        await Command.RunAsync(await PathAsync(), arguments, TimeSpan.FromMinutes(2), new Dictionary<string, string> { ["KUBECONFIG"] = "/nonexistent" });
}
