namespace Kv.Operator.Tests.Kubectl;

/// <summary>A directory with a local run's endpoints file; `kv` is run two levels below it.</summary>
internal sealed class RunDirectory : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kv-cli-").FullName;

    public RunDirectory(string endpoints)
    {
        Directory.CreateDirectory(Path.Combine(root, ".kv"));
        Directory.CreateDirectory(Path.Combine(root, "a", "b"));
        System.IO.File.WriteAllText(File, endpoints);
    }

    public string File => Path.Combine(root, ".kv", "endpoints");

    public Task<KvRun> KvAsync(params string[] arguments) => KvRun.WithAsync(arguments, directory: Path.Combine(root, "a", "b"));

    public void Dispose() => Directory.Delete(root, recursive: true);
}
