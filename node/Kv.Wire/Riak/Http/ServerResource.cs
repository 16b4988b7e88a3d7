using System.Text;
using Kv.Cluster.Membership;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>`/`, from which old clients learn the paths, `/ping` (reference 7.8), and which nodes a key is on (reference 7.2).</summary>
internal sealed class ServerResource(ClusterState state)
{
    /// <summary>
    /// Riak's names of the resources that are here, each with the first segment of its paths. JSON shows the first of a name. A client that takes the last one goes by it too, so `/types` is listed only for
    /// what is nowhere else: it takes a bucket type before the bucket.
    /// </summary>
    private static readonly (string Name, string Path)[] Resources =
    [
        ("riak_kv_wm_bucket_type", "/types"),
        ("riak_kv_wm_buckets", "/buckets"),
        ("riak_kv_wm_buckets", "/riak"),
        ("riak_kv_wm_counter", "/buckets"),
        ("riak_kv_wm_crdt", "/types"),
        ("riak_kv_wm_index", "/buckets"),
        ("riak_kv_wm_keylist", "/buckets"),
        ("riak_kv_wm_keylist", "/riak"),
        ("riak_kv_wm_link_walker", "/buckets"),
        ("riak_kv_wm_link_walker", "/riak"),
        ("riak_kv_wm_mapred", "/mapred"),
        ("riak_kv_wm_object", "/buckets"),
        ("riak_kv_wm_object", "/riak"),
        ("riak_kv_wm_ping", "/ping"),
        ("riak_kv_wm_preflist", "/buckets"),
        ("riak_kv_wm_props", "/buckets"),
        ("riak_kv_wm_props", "/riak"),
        ("riak_kv_wm_stats", "/stats"),
    ];

    private static readonly string Links = string.Join(", ", Resources.Select(resource => $"<{resource.Path}>; rel=\"{resource.Name}\""));

    private static readonly byte[] Html = Encoding.UTF8.GetBytes(
        $"<html><body><ul>{string.Concat(Resources.Select(resource => $"<li><a href=\"{resource.Path}\">{resource.Name}</a></li>"))}</ul></body></html>\n");

    public static Task RootAsync(HttpContext http)
    {
        var accept = http.Request.Headers.Accept;
        var html = AcceptHeader.QualityOf(accept, "text/html", out _);
        var json = AcceptHeader.QualityOf(accept, "application/json", out var isJsonNamed);
        if (html <= 0 && json <= 0)
        {
            return http.SendAsync(HttpErrors.NotAcceptable);
        }

        http.Response.Headers.Link = Links;
        http.Response.Headers.Vary = "Accept, Accept-Encoding";
        if (html > json || (html > 0 && html >= json && !isJsonNamed))
        {
            return http.SendAsync(StatusCodes.Status200OK, "text/html", Html);
        }

        return http.SendJsonAsync(writer =>
        {
            writer.WriteStartObject();
            foreach (var (name, path) in Resources.DistinctBy(resource => resource.Name))
            {
                writer.WriteString(name, path);
            }

            writer.WriteEndObject();
        });
    }

    public Task PreflistAsync(HttpContext http, in RiakPath path)
    {
        if (KeyReplica.TryList(state, new ObjectKey(path.BucketType, path.Bucket, path.Key), out var replicas) is { } error)
        {
            return http.SendAsync(HttpErrors.Of(error));
        }

        return http.SendJsonAsync(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("preflist");
            foreach (var replica in replicas)
            {
                writer.WriteStartObject();
                writer.WriteNumber("partition", replica.Partition);
                writer.WriteString("node", replica.Node);
                writer.WriteBoolean("primary", replica.IsPrimary);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    public Task PingAsync(HttpContext http) => state.Current.Document is null
        ? http.SendAsync(StatusCodes.Status503ServiceUnavailable, "text/plain", "node is not ready: it is in no cluster\n")
        : http.SendAsync(StatusCodes.Status200OK, "text/html", "OK");
}
