using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>
/// Data directories as earlier programs left them, kept as archives (`OlderData/make` writes them): this program reads all of what they hold, from checkpoints and from the log,
/// changes it, and reads it again after a start of its own.
/// </summary>
public sealed class OlderDataTests : IDisposable
{
    private const int LongBytes = 600_000;

    private readonly string data = Directory.CreateTempSubdirectory("kv-older-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(data, recursive: true);

    /// <summary>7612de0: hash trees of version 1, batches of versions 1 and 2 in the log, records without checksums of their sectors.</summary>
    [Theory]
    [InlineData("7612de0")]
    public async Task DataOfAnEarlierProgram_IsRead_Changed_AndReadAgain(string revision)
    {
        await using (var archive = new GZipStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "OlderData", $"{revision}.tar.gz")), CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(archive, data, overwriteFiles: false, Cancel);
        }

        using (var node = Start())
        {
            await using var client = await ConnectAsync(node);
            await AssertAsItWasAsync(client, key: "k7", value: "first 7");
            await client.PutAsync(Key("k7"), new KvValue("by this program"u8.ToArray()), cancel: Cancel);
            Assert.Equal(0, await node.TerminateAsync(Cancel));
        }

        using (var node = Start())
        {
            await using var client = await ConnectAsync(node);
            await AssertAsItWasAsync(client, key: "k7", value: "by this program");
            node.Kill();
        }
    }

    private static ObjectKey Key(string key) => new(ObjectKey.DefaultType, "old", key);

    private static async Task<KvClusterClient> ConnectAsync(NodeProcess node)
    {
        await node.ServingAsync(Cancel);
        return await KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = [node.Endpoint("grpc")], Timeout = TimeSpan.FromSeconds(30) }, Cancel);
    }

    /// <summary>What `make` wrote, but for the one key that is said.</summary>
    private static async Task AssertAsItWasAsync(KvClusterClient client, string key, string value)
    {
        var expected = Enumerable.Range(0, 30).ToDictionary(
            number => $"k{number}",
            number => number switch { < 2 => $"third {number}", < 5 => $"again {number}", < 20 => $"first {number}", _ => $"later {number}" });
        expected["long"] = new string('x', LongBytes);
        expected[key] = value;
        expected.Remove("k5");
        expected.Remove("k6");
        foreach (var (name, text) in expected)
        {
            Assert.Equal([text], await ValuesAsync(client, Key(name)));
        }

        Assert.Empty(await ValuesAsync(client, Key("k5")));
        Assert.Empty(await ValuesAsync(client, Key("k6")));
        Assert.Equal(["left", "right"], await ValuesAsync(client, new ObjectKey("siblings", "old", "two")));
        var listed = new List<string>();
        await foreach (var one in client.ListKeysAsync(ObjectKey.DefaultType, Encoding.UTF8.GetBytes("old"), cancel: Cancel))
        {
            listed.Add(Encoding.UTF8.GetString(one.Span));
        }

        Assert.Equal(expected.Keys.Order(), listed.Order());
    }

    private static async Task<IEnumerable<string>> ValuesAsync(KvClusterClient client, ObjectKey key) => await client.GetAsync(key, cancel: Cancel) is GetResult.Found found
        ? found.Object.Siblings.Where(sibling => !sibling.IsTombstone).Select(sibling => Encoding.UTF8.GetString(sibling.Content.Value.Span)).Order(StringComparer.Ordinal)
        : [];

    private NodeProcess Start() => NodeProcess.Start(
        "--name", "node1", "--data", data, "--stores", "8", "--grpc-port", "0", "--peer-port", "0", "--admin-port", "0", "--riak-pb-port", "0", "--riak-http-port", "0", "--metrics-port", "0");
}
