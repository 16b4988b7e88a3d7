namespace Kv.Storage.Tests;

/// <summary>A directory of the test's own, deleted at its end.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kv-storage-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
