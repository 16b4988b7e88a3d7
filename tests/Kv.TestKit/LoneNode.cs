using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Storage.Memory;
using Kv.Storage.State;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.TestKit;

/// <summary>
/// A real node in memory, in a cluster of its own, with the types `siblings` (allow_mult), `ordered` (with indexes), `cache` (in memory, of <see cref="MemoryBackendBytes"/>), `keeps` (allow_mult, tombstones kept), `once` (write_once), one for each data type (`counters`, `sets`, …) and
/// `sleeping`, which is not active.
/// </summary>
public sealed class LoneNode : IAsyncDisposable
{
    /// <summary>For objects of `cache`, three of each.</summary>
    public const int MemoryBackendBytes = 40_000;

    private static readonly string[] DataTypes = ["counter", "set", "gset", "map", "hll"];

    private LoneNode(ClusterNode node) => Node = node;

    public ClusterNode Node { get; }

    /// <param name="loggers">Where it logs; null for nowhere.</param>
    public static async Task<LoneNode> StartAsync(ILoggerFactory? loggers = null)
    {
        var self = new Member(new NodeId(7), "node1", "", MemberState.Joining, ImmutableSortedDictionary<string, string>.Empty);
        var node = new ClusterNode(
            new ClusterOptions(), self, new NoPeers(), new StoresWithMemory(new MemoryPartitionStores(), new MemoryRoom(MemoryBackendBytes)), new MemoryNodeState(), TimeProvider.System, new Random(1), loggers ?? NullLoggerFactory.Instance);
        await node.StartAsync(CancellationToken.None);
        Ok(await node.Admin.CreateClusterAsync(null, "test", 8, CancellationToken.None));
        var alone = new LoneNode(node);
        await alone.CreateTypeAsync("siblings", "{}");
        await alone.CreateTypeAsync("ordered", """{"backend":"ordered"}""");
        await alone.CreateTypeAsync("cache", """{"backend":"memory"}""");
        await alone.CreateTypeAsync("keeps", """{"delete_mode":"keep"}""");
        await alone.CreateTypeAsync("once", """{"write_once":true}""");
        foreach (var dataType in DataTypes)
        {
            await alone.CreateTypeAsync(dataType + "s", $$"""{"datatype":"{{dataType}}"}""");
        }

        Ok(await node.Admin.CreateBucketTypeAsync("sleeping", "{}", CancellationToken.None));
        return alone;
    }

    public async ValueTask DisposeAsync()
    {
        await Node.StopAsync(CancellationToken.None);
        await Node.DisposeAsync();
    }

    private static void Ok<T>(AdminResult<T> result)
        where T : class
    {
        if (!result.IsOk)
        {
            throw new InvalidOperationException(result.Refusal.ToString());
        }
    }

    private async Task CreateTypeAsync(string name, string props)
    {
        Ok(await Node.Admin.CreateBucketTypeAsync(name, props, CancellationToken.None));
        Ok(await Node.Admin.ActivateBucketTypeAsync(name, CancellationToken.None));
    }

    /// <summary>A cluster of one has nobody to send to.</summary>
    private sealed class NoPeers : IPeerTransport
    {
        public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel) =>
            ValueTask.FromResult<PeerReply>(new PeerReply.Unreachable());

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) =>
            ValueTask.FromResult<PeerReply>(new PeerReply.Unreachable());

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses)
        {
        }
    }
}
