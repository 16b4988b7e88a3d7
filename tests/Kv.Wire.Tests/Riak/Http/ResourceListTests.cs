using System.Text.Json;
using Kv.Wire.Riak.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>`GET /` names what is served, all of it: old clients go by it.</summary>
public sealed class ResourceListTests(RiakServer server) : IClassFixture<RiakServer>
{
    /// <summary>Each resource, Riak's name for it, and a path of it in each form that there is.</summary>
    private static readonly Dictionary<RiakResource, (string Name, string[] Paths)> Served = new()
    {
        [RiakResource.TypeProps] = ("riak_kv_wm_bucket_type", ["/types/t/props"]),
        [RiakResource.Buckets] = ("riak_kv_wm_buckets", ["/buckets", "/riak"]),
        [RiakResource.Counter] = ("riak_kv_wm_counter", ["/buckets/b/counters/k"]),
        [RiakResource.DataType] = ("riak_kv_wm_crdt", ["/types/t/buckets/b/datatypes/k"]),
        [RiakResource.DataTypes] = ("riak_kv_wm_crdt", ["/types/t/buckets/b/datatypes"]),
        [RiakResource.Index] = ("riak_kv_wm_index", ["/buckets/b/index/f_bin/v"]),
        [RiakResource.Keys] = ("riak_kv_wm_keylist", ["/buckets/b/keys"]),
        [RiakResource.OldBucket] = ("riak_kv_wm_keylist", ["/riak/b"]),
        [RiakResource.LinkWalk] = ("riak_kv_wm_link_walker", ["/buckets/b/keys/k/b,t,1", "/riak/b/k/b,t,1"]),
        [RiakResource.MapReduce] = ("riak_kv_wm_mapred", ["/mapred"]),
        [RiakResource.Object] = ("riak_kv_wm_object", ["/buckets/b/keys/k", "/riak/b/k"]),
        [RiakResource.Ping] = ("riak_kv_wm_ping", ["/ping"]),
        [RiakResource.Preflist] = ("riak_kv_wm_preflist", ["/buckets/b/keys/k/preflist"]),
        [RiakResource.BucketProps] = ("riak_kv_wm_props", ["/buckets/b/props"]),
        [RiakResource.Stats] = ("riak_kv_wm_stats", ["/stats"]),
    };

    /// <summary>What another resource answers too: `/riak/B` holds properties, and is posted to for a key that the node makes.</summary>
    private static readonly (string Name, string Path)[] InOthers = [("riak_kv_wm_props", "/riak")];

    [Fact]
    public async Task EveryResource_IsNamed_WithTheFirstSegmentOfItsPaths()
    {
        var expected = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var resource in Enum.GetValues<RiakResource>().Except([RiakResource.Unknown, RiakResource.Root]))
        {
            Assert.True(Served.TryGetValue(resource, out var served), $"{resource} is served, and this test does not know by what name");
            foreach (var path in served.Paths)
            {
                Assert.True(RiakPath.TryParse(path, out var parsed) && parsed.Resource == resource, $"{path} is {parsed.Resource}");
                expected.Add($"<{Root(path)}>; rel=\"{served.Name}\"");
            }
        }

        expected.UnionWith(InOthers.Select(one => $"<{one.Path}>; rel=\"{one.Name}\""));
        using var answer = await server.SendAsync("GET", "/", "Accept: application/json");
        var links = answer.Headers.GetValues("Link").Single().Split(", ");
        Assert.Equal(expected, links.Order(StringComparer.Ordinal));

        // A name's path is in JSON what the first link of it says, and in HTML each link is an anchor.
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var first = links.Select(Parse).DistinctBy(link => link.Name);
        Assert.Equal(first, json.RootElement.EnumerateObject().Select(one => (one.Name, one.Value.GetString()!)));
        using var page = await server.SendAsync("GET", "/");
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.All(links.Select(Parse), link => Assert.Contains($"<a href=\"{link.Path}\">{link.Name}</a>", html, StringComparison.Ordinal));
    }

    private static string Root(string path) => "/" + path.Split('/')[1];

    private static (string Name, string Path) Parse(string link) => (link.Split('"')[1], link[1..link.IndexOf('>', StringComparison.Ordinal)]);
}
