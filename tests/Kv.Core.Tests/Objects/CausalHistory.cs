using System.Globalization;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Objects;

/// <summary>
/// One key on a few vnodes, written by clients that read at some time and write later, with the truth beside it: which writes each
/// vnode has heard of, and which writes each write had seen. Between two events of a vnode its counter jumps, as if other keys were written.
/// </summary>
internal sealed class CausalHistory(BucketProps props)
{
    public const int Vnodes = 3;
    public const int Clients = 3;

    private readonly ulong[] counters = new ulong[Vnodes];
    private readonly Dictionary<int, HashSet<int>> pasts = [];
    private readonly (VersionVector Context, HashSet<int> Seen)[] clients = [.. Enumerable.Range(0, Clients).Select(_ => (VersionVector.Empty, new HashSet<int>()))];

    public KvObject?[] Held { get; } = new KvObject?[Vnodes];

    public HashSet<int>[] Heard { get; } = [.. Enumerable.Range(0, Vnodes).Select(_ => new HashSet<int>())];

    public void Step(int kind, int vnode, int other)
    {
        switch (kind)
        {
            case 0:
                Write(vnode, other);
                break;
            case 1:
                clients[other] = (Held[vnode]?.Clock ?? VersionVector.Empty, [.. Heard[vnode]]);
                break;
            default:
                Send(vnode, other);
                break;
        }
    }

    /// <summary>The writes that a vnode has heard of and that none it has heard of had seen.</summary>
    public string[] Current(int vnode) => Current(Heard[vnode]);

    /// <summary>The same for all vnodes together.</summary>
    public string[] CurrentOfAll() => Current([.. Heard.SelectMany(heard => heard)]);

    private string[] Current(HashSet<int> heard) =>
        [.. heard.Where(write => !heard.Any(later => pasts[later].Contains(write))).Select(write => write.ToString(CultureInfo.InvariantCulture)).Order()];

    private void Write(int vnode, int client)
    {
        var write = pasts.Count;
        counters[vnode] += 1 + ((ulong)write % 3);
        var dot = new Dot(new ActorId(new NodeId((ulong)vnode + 1), new PartitionId(0), 1), counters[vnode]);
        var content = ObjectGen.Content(write.ToString(CultureInfo.InvariantCulture), write);
        Held[vnode] = KvObject.Coordinate(Held[vnode], content, clients[client].Context, dot, (uint)write, props);
        pasts[write] = [.. clients[client].Seen];
        Heard[vnode].UnionWith(clients[client].Seen);
        Heard[vnode].Add(write);
    }

    private void Send(int from, int to)
    {
        if (Held[from] is { } sent)
        {
            Held[to] = KvObject.MergeReplica(Held[to], sent, props);
            Heard[to].UnionWith(Heard[from]);
        }
    }
}
