using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>What a person reads once a cluster is ready: its addresses, and lines to try. Pure.</summary>
internal static class Introduction
{
    /// <summary>A cluster that has been ready for so long is told of, whatever its types wait for: a node that is away may be away for days.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The cluster is ready, and each of its bucket types can be used or will not come about soon: from then on the lines that a person reads do what they say.</summary>
    public static bool IsDue(Cluster cluster, IEnumerable<BucketType> types, DateTimeOffset now) =>
        Find(cluster.Status, Conditions.Ready) is { Status: "True" } ready && (cluster.Spec.Paused || now - ready.LastTransitionTime >= Patience || types
            .Where(type => type.Spec.ClusterRef.Name == cluster.Metadata.Name && type.Metadata.NamespaceProperty == cluster.Metadata.NamespaceProperty)
            .All(type => Find(type.Status, Conditions.Active) is { Status: "True" } || Find(type.Status, Conditions.Accepted) is { Status: "False" }));

    /// <param name="cluster">It is ready.</param>
    /// <param name="nodes">Of the cluster; one at least.</param>
    /// <param name="kv">How the command line is called from where the person stands; null if it is not there.</param>
    public static IEnumerable<string> Lines(Cluster cluster, IReadOnlyList<NodeSpec> nodes, string? kv)
    {
        var width = nodes.Max(node => node.Name.Length);
        yield return $"{cluster.Metadata.Name} is ready: {nodes.Count} nodes, {cluster.Status.Ring?.Partitions} partitions.";
        yield return "";
        foreach (var node in nodes)
        {
            yield return $"  {node.Name.PadRight(width)}  {string.Join("  ", Ports.OfClients.Select(protocol => $"{protocol} {node.AddressOf(protocol)}"))}";
        }

        var address = nodes[0].AddressOf(Ports.RiakHttp);
        yield return "";
        yield return "Try it:";
        yield return "";
        yield return $"  curl -X PUT -H 'Content-Type: text/plain' -d 'hello, ring' http://{address}/buckets/greetings/keys/first";
        yield return $"  curl http://{address}/buckets/greetings/keys/first";
        if (kv is not null)
        {
            yield return $"  {kv} put greetings second 'hello again'";
            yield return $"  {kv} get greetings second";
        }
    }

    private static Condition? Find(IConditionedStatus status, string type) => status.Conditions?.Find(condition => condition.Type == type);

    /// <summary>The command line: beside this program, or where the tree that it was built in links it (a program that was called by a link knows only what that leads to). Null where it is at neither.</summary>
    public static string? FindCommandLine(string programs, string directory) =>
        new[] { Path.Combine(programs, "kv"), Path.Combine(directory, "bin", "kv") }.FirstOrDefault(File.Exists);

    /// <summary>
    /// How to call a program that is beside this one, from <paramref name="directory"/>. It finds the nodes by itself where their data is in <c>.kv</c> there, and is told one's address elsewhere.
    /// </summary>
    public static string? CommandLine(string? program, string directory, string dataDirectory, string endpoint) =>
        program is null ? null : Path.GetRelativePath(directory, program) + (dataDirectory == Path.Combine(directory, ".kv") ? "" : $" --endpoint {endpoint}");
}
