using Kv.Core.Objects;
using Kv.Core.Rings;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>The ring as a node told it: which nodes hold a key. Immutable; a newer one replaces it whole. Only a hint: any node serves any key.</summary>
internal sealed class RingView
{
    private const int DefaultNVal = 3;

    private readonly int[] _owners;
    private readonly Dictionary<string, int> _nVals;

    public RingView(Proto.GetRingResponse ring)
    {
        if (ring.Nodes.Count == 0 || ring.Owners.Any(owner => owner >= ring.Nodes.Count) || (ring.Owners.Count != 0 && !Ring.IsValidSize(ring.Owners.Count)))
        {
            throw new KvException(KvErrorCode.NotReady, "the node told a ring that makes no sense", isRetryable: true, isIndeterminate: false);
        }

        Version = ring.Version;
        ClusterName = ring.ClusterName;
        Endpoints = [.. ring.Nodes.Select(node => node.GrpcEndpoint)];
        IsUp = [.. ring.Nodes.Select(node => node.Up)];
        _owners = [.. ring.Owners.Select(owner => (int)owner)];
        _nVals = ring.NVals.ToDictionary(pair => pair.Key, pair => (int)pair.Value);
    }

    public long Version { get; }

    public string ClusterName { get; }

    /// <summary>`host:port` by node number.</summary>
    public string[] Endpoints { get; }

    public bool[] IsUp { get; }

    /// <summary>Writes the numbers of the nodes to ask for a key, best first: its primaries in the order of its preference list, then the others. Returns how many.</summary>
    // hot
    public int Rank(ObjectKey key, Span<int> ranked)
    {
        var count = 0;
        if (_owners.Length > 0)
        {
            var first = RingHash.FirstPartition(key.BucketType, key.Bucket.Span, key.Key.Span, bucketOnly: false, _owners.Length).Number;
            var nVal = _nVals.GetValueOrDefault(key.BucketType, DefaultNVal);
            for (var i = 0; i < nVal && i < _owners.Length && count < ranked.Length; i++)
            {
                count = AddOnce(ranked, count, _owners[(first + i) & (_owners.Length - 1)]);
            }
        }

        for (var node = 0; node < Endpoints.Length && count < ranked.Length; node++)
        {
            count = AddOnce(ranked, count, node);
        }

        return count;
    }

    private static int AddOnce(Span<int> ranked, int count, int node)
    {
        if (ranked[..count].Contains(node))
        {
            return count;
        }

        ranked[count] = node;
        return count + 1;
    }
}
