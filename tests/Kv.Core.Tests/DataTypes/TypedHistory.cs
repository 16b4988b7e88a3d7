using System.Text;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Core.Tests.DataTypes;

/// <summary>
/// One key of a data type on a few vnodes, changed by clients that fetch at some time and change later, with the truth beside it: which updates each vnode has heard of, which each
/// client had seen. Between two events of a vnode its counter jumps, as if other keys were written.
/// </summary>
internal sealed class TypedHistory(string type)
{
    public const int Vnodes = 3;
    public const int Clients = 3;

    private readonly BucketProps props = BucketProps.NewType with { DataType = type };
    private readonly ulong[] counters = new ulong[Vnodes];
    private readonly (VersionVector? Context, VersionVector Clock, HashSet<int> Seen)[] clients =
        [.. Enumerable.Range(0, Clients).Select(_ => ((VersionVector?)null, VersionVector.Empty, new HashSet<int>()))];

    public KvObject?[] Held { get; } = new KvObject?[Vnodes];

    public HashSet<int>[] Heard { get; } = [.. Enumerable.Range(0, Vnodes).Select(_ => new HashSet<int>())];

    /// <summary>The updates so far: the operation (null: a delete), what its vnode had heard of, and what its removals had seen.</summary>
    public List<(DataTypeOperation? Operation, HashSet<int> Heard, HashSet<int> Seen)> Updates { get; } = [];

    /// <summary>An update: an even client gives the context of its last fetch, an odd one none.</summary>
    public void Update(int vnode, int client, DataTypeOperation operation)
    {
        var dot = NextDot(vnode);
        var context = client % 2 == 0 ? clients[client].Context : null;
        if (State(vnode).Apply(operation, new DataTypeEvent(dot, Updates.Count, context), out _) is not { } changed)
        {
            return;
        }

        Held[vnode] = KvObject.Coordinate(Held[vnode], DataTypeObject.Content(changed), Held[vnode]?.Clock ?? VersionVector.Empty, dot, (uint)Updates.Count, props);
        Updates.Add((operation, [.. Heard[vnode]], context is null ? [.. Heard[vnode]] : WithDeleted(clients[client].Seen)));
        Heard[vnode].Add(Updates.Count - 1);
    }

    /// <summary>A delete of what the client saw when it fetched last, by whichever vnode: it hears of the delete, and not of what the client saw elsewhere.</summary>
    public void Delete(int vnode, int client)
    {
        var (tombstone, replaced) = DataTypeObject.Tombstone(new Sibling { Dot = null, IsTombstone = true }, Held[vnode], clients[client].Clock, props);
        Held[vnode] = KvObject.Coordinate(Held[vnode], tombstone, replaced, NextDot(vnode), (uint)Updates.Count, props);
        Updates.Add((null, [.. Heard[vnode]], [.. clients[client].Seen]));
        Heard[vnode].Add(Updates.Count - 1);
    }

    /// <summary>Who saw a delete saw that all is gone which that had seen, heard of it or not: the clock of the state says so.</summary>
    private HashSet<int> WithDeleted(IEnumerable<int> seen) =>
        [.. seen.SelectMany(update => Updates[update].Operation is null ? WithDeleted(Updates[update].Seen).Append(update) : [update])];

    public void Fetch(int vnode, int client) =>
        clients[client] = ((State(vnode) as CausalDataType)?.Clock, Held[vnode]?.Clock ?? VersionVector.Empty, [.. Heard[vnode]]);

    public void Send(int from, int to)
    {
        if (Held[from] is { } sent && from != to)
        {
            Held[to] = KvObject.MergeReplica(Held[to], sent, props);
            Heard[to].UnionWith(Heard[from]);
        }
    }

    public DataType State(int vnode) => DataTypeObject.Read(Held[vnode], props, out _) ?? throw new InvalidOperationException("no state");

    /// <summary>Each tells each other everything.</summary>
    public void Settle()
    {
        for (var round = 0; round < 2; round++)
        {
            for (var pair = 0; pair < Vnodes * Vnodes; pair++)
            {
                Send(pair / Vnodes, pair % Vnodes);
            }
        }
    }

    private Dot NextDot(int vnode)
    {
        counters[vnode] += 1 + ((ulong)Updates.Count % 3);
        return new Dot(new ActorId(new NodeId((ulong)vnode + 1), new PartitionId(0), 1), counters[vnode]);
    }

    public static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
