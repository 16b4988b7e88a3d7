using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>Two applications that write one key at a time, neither knowing of the other: one by our client, one by Riak's HTTP.</summary>
internal sealed class SiblingWriters(LocalRun run, ObjectKey key)
{
    private const string ContextHeader = "X-Riak-Vclock";

    /// <summary>Each value becomes a sibling of all that is there.</summary>
    public async Task WriteBlindlyAsync(KvClusterClient client, IReadOnlyList<string> values, CancellationToken cancel)
    {
        foreach (var value in values)
        {
            await client.PutAsync(key, new KvValue(Encoding.UTF8.GetBytes(value)), cancel: cancel);
        }
    }

    /// <summary>Both read, then both write with what they read: the two values replace what was there, and neither the other.</summary>
    /// <param name="client">Writes the first value.</param>
    /// <param name="node">Takes the second one.</param>
    /// <param name="values">Two.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task ReplaceAsync(KvClusterClient client, string node, IReadOnlyList<string> values, CancellationToken cancel)
    {
        using var http = new HttpClient();
        var url = new Uri($"http://{run.Endpoint(node, "riak-http")}/types/{key.BucketType}/buckets/{Text(key.Bucket)}/keys/{Text(key.Key)}");
        var found = Assert.IsType<GetResult.Found>(await client.GetAsync(key, cancel: cancel));
        using var read = await http.GetAsync(url, cancel);
        Assert.Equal(HttpStatusCode.MultipleChoices, read.StatusCode);

        await client.PutAsync(key, new KvValue(Encoding.UTF8.GetBytes(values[0])), new PutOptions { Context = found.Object.Context }, cancel);
        using var write = new HttpRequestMessage(HttpMethod.Put, url) { Content = new StringContent(values[1], MediaTypeHeaderValue.Parse("text/plain")) };
        write.Headers.Add(ContextHeader, read.Headers.GetValues(ContextHeader));
        using var written = await http.SendAsync(write, cancel);
        Assert.Equal(HttpStatusCode.NoContent, written.StatusCode);
    }

    /// <summary>The values of the key, in order.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(KvClusterClient client, CancellationToken cancel)
    {
        var found = Assert.IsType<GetResult.Found>(await client.GetAsync(key, cancel: cancel));
        return [.. found.Object.Siblings.Select(sibling => Text(sibling.Content.Value)).Order(StringComparer.Ordinal)];
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
