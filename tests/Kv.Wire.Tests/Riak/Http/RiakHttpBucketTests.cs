using System.Text;
using System.Text.Json;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Properties that change and are seen, listings in pages, and figures that count.</summary>
public sealed class RiakHttpBucketTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Json = "Content-Type: application/json";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/buckets/props1/props", "/buckets/props1/props")]
    [InlineData("/types/siblings/buckets/props2/props", "/types/siblings/buckets/props2/props")]
    [InlineData("/riak/props3", "/riak/props3")]
    public async Task BucketProps_AreSetSeenAndReset(string put, string get)
    {
        var before = await PropsAsync(get);
        using var changed = await server.SendAsync("PUT", put, Json, """{"props":{"n_val":3,"allow_mult":true,"r":"one","dw":"all"}}""");
        Assert.Equal(204, (int)changed.StatusCode);
        var props = await PropsAsync(get);
        Assert.Equal((3, true, "one", "all"), (props.GetProperty("n_val").GetInt32(), props.GetProperty("allow_mult").GetBoolean(), props.GetProperty("r").GetString(), props.GetProperty("dw").GetString()));
        Assert.StartsWith("props", props.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.Equal("chash_std_keyfun", props.GetProperty("chash_keyfun").GetProperty("fun").GetString());
        using var reset = await server.SendAsync("DELETE", get.Replace("/riak/props3", "/buckets/props3/props", StringComparison.Ordinal));
        Assert.Equal(204, (int)reset.StatusCode);
        Assert.Equal(before.GetRawText(), (await PropsAsync(get)).GetRawText());
    }

    [Fact]
    public async Task Ttl_IsTheTypesAlone()
    {
        using var set = await server.SendAsync("PUT", "/types/cache/props", Json, """{"props":{"ttl":3600}}""");
        Assert.Equal(204, (int)set.StatusCode);
        Assert.Equal(3600, (await PropsAsync("/types/cache/props")).GetProperty("ttl").GetInt32());
        Assert.Equal(3600, (await PropsAsync("/types/cache/buckets/any/props")).GetProperty("ttl").GetInt32());
        using var refused = await server.SendAsync("PUT", "/types/cache/buckets/any/props", Json, """{"props":{"ttl":60}}""");
        Assert.Equal(400, (int)refused.StatusCode);
        Assert.Contains("is a property of bucket types", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var unset = await server.SendAsync("PUT", "/types/cache/props", Json, """{"props":{"ttl":0}}""");
        Assert.False((await PropsAsync("/types/cache/props")).TryGetProperty("ttl", out _));
    }

    [Fact]
    public async Task ShownProps_CanBeSentBack()
    {
        var props = await PropsAsync("/buckets/again/props");
        using var answer = await server.SendAsync("PUT", "/buckets/again/props", Json, $"{{\"props\":{props.GetRawText()}}}");
        Assert.Equal(204, (int)answer.StatusCode);
    }

    [Fact]
    public async Task TypeProps_AreUpdatedAndSeen()
    {
        using var answer = await server.SendAsync("PUT", "/types/keeps/props", Json, """{"props":{"r":"all"}}""");
        Assert.Equal(204, (int)answer.StatusCode);
        var props = await PropsAsync("/types/keeps/props");
        Assert.Equal(("all", true), (props.GetProperty("r").GetString(), props.GetProperty("active").GetBoolean()));
    }

    [Fact]
    public async Task Props_BeyondTheLimit_AreRefused()
    {
        using var answer = await server.SendAsync("PUT", "/buckets/b/props", Json, $"{{\"props\":{{\"x\":\"{new string('x', 5000)}\"}}}}");
        Assert.Equal(413, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Keys_OfManyPages_AreListedBothWays()
    {
        var keys = Enumerable.Range(0, 1500).Select(number => $"key-{number:0000}").ToArray();
        await Parallel.ForEachAsync(keys, Cancel, async (key, _) =>
        {
            using var put = await server.SendAsync("PUT", $"/buckets/many/keys/{key}?w=all", "Content-Type: text/plain", key);
            Assert.Equal(204, (int)put.StatusCode);
        });

        using var whole = JsonDocument.Parse(await GetAsync("/buckets/many/keys?keys=true"));
        Assert.Equal(keys, Names(whole.RootElement).Order(StringComparer.Ordinal));
        var streamed = Objects(await GetAsync("/buckets/many/keys?keys=stream"));
        Assert.Empty(Names(streamed[^1]));
        Assert.Equal(keys, streamed.SelectMany(Names).Order(StringComparer.Ordinal));
        var old = Objects(await GetAsync("/riak/many?keys=stream"));
        Assert.Equal("many", old[0].GetProperty("props").GetProperty("name").GetString());
        Assert.Equal(keys, old.Skip(1).SelectMany(Names).Order(StringComparer.Ordinal));
        using var buckets = JsonDocument.Parse(await GetAsync("/buckets?buckets=true"));
        Assert.Contains("many", buckets.RootElement.GetProperty("buckets").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public async Task Stats_CountWhatWasDone()
    {
        using var before = JsonDocument.Parse(await GetAsync("/stats"));
        for (var i = 0; i < 5; i++)
        {
            using var put = await server.SendAsync("PUT", $"/buckets/counted/keys/{i}", "Content-Type: text/plain", "v");
            await GetAsync($"/buckets/counted/keys/{i}");
        }

        using var after = JsonDocument.Parse(await GetAsync("/stats"));
        foreach (var name in new[] { "node_gets", "node_gets_total", "node_puts", "node_puts_total" })
        {
            Assert.Equal(5, after.RootElement.GetProperty(name).GetInt64() - before.RootElement.GetProperty(name).GetInt64());
        }

        Assert.True(after.RootElement.GetProperty("node_get_fsm_time_100").GetInt64() >= after.RootElement.GetProperty("node_get_fsm_time_median").GetInt64());
        Assert.True(after.RootElement.GetProperty("node_get_fsm_time_mean").GetInt64() > 0);
        Assert.Equal(8, after.RootElement.GetProperty("ring_num_partitions").GetInt32());
        Assert.Equal("node1", after.RootElement.GetProperty("ring_members")[0].GetString());
        Assert.Equal("node1: 8", after.RootElement.GetProperty("ring_ownership").GetString());
    }

    private static IEnumerable<string> Names(JsonElement listing) => listing.GetProperty("keys").EnumerateArray().Select(name => name.GetString()!);

    private static List<JsonElement> Objects(string concatenated)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(concatenated), new JsonReaderOptions { AllowMultipleValues = true });
        var objects = new List<JsonElement>();
        while (reader.Read())
        {
            objects.Add(JsonElement.ParseValue(ref reader));
        }

        return objects;
    }

    private async Task<JsonElement> PropsAsync(string path)
    {
        using var json = JsonDocument.Parse(await GetAsync(path));
        return json.RootElement.GetProperty("props").Clone();
    }

    private async Task<string> GetAsync(string path)
    {
        using var answer = await server.SendAsync("GET", path);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }
}
