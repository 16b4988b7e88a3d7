using System.Collections.Concurrent;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>What nodes say of the cluster document while faults run: one version is one document, whoever tells it and whenever, and each partition has an owner that is a member.</summary>
internal sealed class DocumentCheck
{
    private readonly ConcurrentDictionary<long, (string Text, string Node)> seen = [];
    private readonly ConcurrentDictionary<string, bool> problems = [];

    public IReadOnlyList<string> Problems => [.. problems.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Versions that were seen.</summary>
    public int Versions => seen.Count;

    public void Note(string node, Protos.Admin.V1.Cluster cluster)
    {
        if (cluster.Members.Count == 0)
        {
            return;
        }

        if (cluster.Owners.Count != RingAdmin.RingSize || cluster.Owners.Any(owner => owner >= cluster.Members.Count))
        {
            problems[$"version {cluster.DocumentVersion} by {node}: {cluster.Owners.Count} of {RingAdmin.RingSize} partitions have an owner among {cluster.Members.Count} members"] = true;
        }

        var text = TextOf(cluster);
        var (first, by) = seen.GetOrAdd(cluster.DocumentVersion, (text, node));
        if (first != text)
        {
            problems[$"version {cluster.DocumentVersion} is {first} by {by}, and {text} by {node}"] = true;
        }
    }

    /// <summary>Asks all nodes once a second, until cancelled.</summary>
    public async Task WatchAsync(ChaosRing ring, RingAdmin admin, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await Waits.NextAsync(timer, stop))
        {
            await Task.WhenAll(ring.Wanted.Where(node => node.IsRunning).Select(async node =>
            {
                if (await admin.ShownByAsync(node) is { } cluster)
                {
                    Note(node.Name, cluster);
                }
            }));
        }
    }

    /// <summary>What is in the document itself; who is up, and who has which version, is each node's own view.</summary>
    private static string TextOf(Protos.Admin.V1.Cluster cluster) => string.Join(
        "; ",
        cluster.ClusterId,
        string.Join(' ', cluster.Members.Select(member => $"{member.Name} {member.Id} {member.State}")),
        $"owners {string.Join(' ', cluster.Owners)}",
        $"next {string.Join(' ', cluster.NextOwners)}",
        $"staged {string.Join(' ', cluster.Staged.Select(change => $"{change.Kind} {change.NodeId}"))}",
        $"rebuilding {string.Join(' ', cluster.Rebuilding)}");
}
