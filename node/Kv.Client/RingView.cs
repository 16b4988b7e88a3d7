using Kv.Core.Objects;
using Kv.Core.Rings;
using Proto = Kv.Protos.Kv.V1;

namespace Kv.Client;

/// <summary>
/// The ring as a node told it: which nodes hold a key, and which of them that node saw up. Immutable; a newer one replaces it whole. Only a hint: any node serves
/// any key. Keys are placed by `chash_std_keyfun`, the one key function that a bucket can have, and by the n_val of their bucket type.
/// </summary>
internal sealed class RingView
{
    private const int DefaultNVal = 3;

    private readonly int[] _owners;
    private readonly Dictionary<string, int> _nVals;
    private readonly string[] _endpoints;
    private readonly bool[] _isUp;

    /// <summary>Throws <see cref="KvException"/> for a ring that nobody can be asked by.</summary>
    public RingView(Proto.GetRingResponse ring)
    {
        if (ring.Nodes.Count == 0 || ring.Owners.Any(owner => owner >= ring.Nodes.Count) || (ring.Owners.Count != 0 && !Ring.IsValidSize(ring.Owners.Count)))
        {
            throw new KvException(KvErrorCode.NotReady, "the node told a ring that makes no sense", isRetryable: true, isIndeterminate: false);
        }

        // A member may not have told yet where it listens.
        _endpoints = [.. ring.Nodes.Select(node => IsAddress(node.GrpcEndpoint) ? node.GrpcEndpoint : "")];
        _isUp = [.. ring.Nodes.Select(node => node.Up)];
        Addresses = [.. Enumerable.Range(0, _endpoints.Length).Where(node => _endpoints[node] != "").OrderBy(node => _isUp[node] ? 0 : 1).Select(Endpoint)];
        if (Addresses.Length == 0)
        {
            throw new KvException(KvErrorCode.NotReady, "the node told a ring of which no member has an address for clients", isRetryable: true, isIndeterminate: false);
        }

        Version = ring.Version;
        ClusterName = ring.ClusterName;
        _owners = [.. ring.Owners.Select(owner => (int)owner)];
        _nVals = ring.NVals.ToDictionary(pair => pair.Key, pair => (int)pair.Value);
    }

    public long Version { get; }

    public string ClusterName { get; }

    /// <summary>`host:port` of every node that can be asked, those that were seen up first; at least one.</summary>
    public string[] Addresses { get; }

    /// <summary>`host:port` of a node by its number; empty for one that cannot be asked.</summary>
    public string Endpoint(int node) => _endpoints[node];

    /// <summary>
    /// Writes the numbers of the nodes to ask for a key, best first, and returns how many: those that were seen up before those that were not, and in both the key's primaries, in
    /// the order of its preference list, before the others. A node without an address is left out.
    /// </summary>
    // hot
    public int Rank(ObjectKey key, Span<int> ranked)
    {
        var first = _owners.Length == 0 ? 0 : RingHash.FirstPartition(key.BucketType, key.Bucket.Span, key.Key.Span, bucketOnly: false, _owners.Length).Number;
        var nVal = Math.Min(_nVals.GetValueOrDefault(key.BucketType, DefaultNVal), _owners.Length);
        var count = Add(ranked, 0, first, nVal, isUp: true);
        return Add(ranked, count, first, nVal, isUp: false);
    }

    private static bool IsAddress(string endpoint) => Uri.TryCreate($"http://{endpoint}", UriKind.Absolute, out _);

    private int Add(Span<int> ranked, int count, int first, int nVal, bool isUp)
    {
        for (var i = 0; i < nVal; i++)
        {
            count = AddOnce(ranked, count, _owners[(first + i) & (_owners.Length - 1)], isUp);
        }

        for (var node = 0; node < _endpoints.Length; node++)
        {
            count = AddOnce(ranked, count, node, isUp);
        }

        return count;
    }

    private int AddOnce(Span<int> ranked, int count, int node, bool isUp)
    {
        if (count == ranked.Length || _isUp[node] != isUp || _endpoints[node] == "" || ranked[..count].Contains(node))
        {
            return count;
        }

        ranked[count] = node;
        return count + 1;
    }
}
