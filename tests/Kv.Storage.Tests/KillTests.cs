using System.Diagnostics;
using System.Globalization;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>A process that writes is killed (SIGKILL) in the middle, several times over: what it was told is durable is there.</summary>
public sealed class KillTests
{
    private const string DirectoryVariable = "KV_STORAGE_KILL_DIRECTORY";
    private const string AcknowledgedPrefix = "acknowledged ";
    private const int Writers = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Kill_InTheMiddleOfWriting_LosesNothingAcknowledged()
    {
        using var directory = new TemporaryDirectory();
        var acknowledged = new Dictionary<string, int>();
        for (var round = 0; round < 3; round++)
        {
            foreach (var (key, version) in await RunAndKillAsync(directory.Path, lines: 400))
            {
                acknowledged[key] = Math.Max(version, acknowledged.GetValueOrDefault(key));
            }

            await using var engine = new BackedStores(TestEngine.Open(TestEngine.Options(directory.Path)), BackendOf);
            for (var writer = 0; writer < Writers; writer++)
            {
                var store = await engine.OpenAsync(new PartitionId(writer), CancellationToken.None);
                foreach (var (key, version) in acknowledged.Where(pair => pair.Key.StartsWith($"{writer}/", StringComparison.Ordinal)))
                {
                    var value = await store.GetTextAsync(key);
                    Assert.NotNull(value);
                    Assert.True(int.Parse(value.AsSpan(0, 10), CultureInfo.InvariantCulture) >= version, $"{key}: acknowledged {version}, found {value[..10]}");

                    // Its index entry came with the value, and the one before went.
                    Assert.Equal([EntryOf(key, int.Parse(value.AsSpan(0, 10), CultureInfo.InvariantCulture))], await store.ScanAllAsync(ScanSpace.Index, $"{key}:", $"{key};"));
                }
            }
        }
    }

    /// <summary>The child: runs only when the test above starts it.</summary>
    [Fact(Explicit = true)]
    public async Task Child_WritesUntilItIsKilled()
    {
        var directory = Environment.GetEnvironmentVariable(DirectoryVariable);
        Assert.SkipWhen(directory is null, "This is the other test's child process.");
        await using var engine = new BackedStores(TestEngine.Open(TestEngine.Options(directory), runsUpkeep: true), BackendOf);
        var output = Console.Out;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            var store = await engine.OpenAsync(new PartitionId(writer), CancellationToken.None);
            for (var index = 0; ; index++)
            {
                var key = $"{writer}/{index % 20}";
                var before = await store.GetTextAsync(key);
                var version = before is null ? 1 : int.Parse(before.AsSpan(0, 10), CultureInfo.InvariantCulture) + 1;
                var batch = new WriteBatch();
                batch.Put(Bytes.Of(key), Bytes.Of(version.ToString("D10", CultureInfo.InvariantCulture) + new string('x', 100 + (index % 3000))));
                batch.Change(new IndexChange(Bytes.Of(EntryOf(key, version - 1)), IsAdded: false));
                batch.Change(new IndexChange(Bytes.Of(EntryOf(key, version)), IsAdded: true));
                await store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
                lock (output)
                {
                    output.WriteLine($"{AcknowledgedPrefix}{key} {version}");
                    output.Flush();
                }
            }
        }));
    }

    /// <summary>Half of the writers have ordered keys.</summary>
    private static StoreBackend BackendOf(ReadOnlyMemory<byte> key) => key.Span[0] % 2 == 0 ? StoreBackend.Ordered : StoreBackend.Hash;

    private static string EntryOf(string key, int version) => $"{key}:{version:D10}";

    private static async Task<List<(string Key, int Version)>> RunAndKillAsync(string directory, int lines)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(KillTests).Assembly.Location);
        }

        start.ArgumentList.Add("-explicit");
        start.ArgumentList.Add("only");
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(KillTests).FullName}.{nameof(Child_WritesUntilItIsKilled)}");
        start.Environment[DirectoryVariable] = directory;
        using var child = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        await using var kill = patience.Token.Register(child.Kill);
        var acknowledged = new List<(string Key, int Version)>();
        while (await child.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            var at = line.IndexOf(AcknowledgedPrefix, StringComparison.Ordinal);
            if (at >= 0 && line[(at + AcknowledgedPrefix.Length)..].Split(' ') is [var key, var version])
            {
                acknowledged.Add((key, int.Parse(version, CultureInfo.InvariantCulture)));
                if (acknowledged.Count == lines)
                {
                    // What it printed before it died counts too, and is read to its end.
                    child.Kill();
                }
            }
        }

        await child.WaitForExitAsync();
        Assert.True(acknowledged.Count >= lines, $"the child ended after {acknowledged.Count} writes");
        return acknowledged;
    }
}
