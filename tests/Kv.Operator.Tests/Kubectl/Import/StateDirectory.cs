namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>A directory for an import's state, which the import itself makes.</summary>
internal sealed class StateDirectory : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kv-import-").FullName;

    public string Path => System.IO.Path.Combine(root, "state");

    public string File => System.IO.Path.Combine(Path, "state.jsonl");

    public void Dispose() => Directory.Delete(root, recursive: true);
}
