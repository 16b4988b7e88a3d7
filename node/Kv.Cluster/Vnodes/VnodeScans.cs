using System.Text.RegularExpressions;
using Kv.Cluster.Peers;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>Pages of a store's order. Nothing is kept between them: each says where the next begins.</summary>
internal static class VnodeScans
{
    /// <summary>A page looks at a bounded number of entries, so that a pattern that matches few, or deleted keys, cannot hold a request.</summary>
    private const int LooksPerEntry = 16;

    public static async ValueTask<PeerReply> NextPageAsync(IPartitionStore store, PeerRequest.VnodeScan request, ClusterOptions options, CancellationToken cancel)
    {
        var pattern = request.TermRegex is { } text ? TermPattern.TryCreate(text) : null;
        if (pattern is null && request.TermRegex is not null)
        {
            return new PeerReply.Refused("a pattern that cannot be had");
        }

        var limit = Math.Clamp(request.Limit, 1, options.ListPageKeys);
        var looksLeft = limit * LooksPerEntry;
        var entries = new List<ReadOnlyMemory<byte>>();
        var from = request.From;
        for (var bytesLeft = options.ScanPageBytes; entries.Count < limit && looksLeft > 0 && bytesLeft > 0;)
        {
            var stretch = await store.ScanAsync(new StoreScan(request.Space, from, request.Until, limit - entries.Count, bytesLeft), cancel);
            foreach (var entry in stretch.Entries)
            {
                bytesLeft -= entry.Key.Length + entry.Value.Length;
                if (IsWanted(request, entry, pattern))
                {
                    entries.Add(entry.Key);
                }
            }

            if (stretch.IsLast)
            {
                return new PeerReply.ScanPage(entries, null);
            }

            looksLeft -= stretch.Entries.Count;
            from = (byte[])[.. stretch.Entries[^1].Key.Span, 0];
        }

        return new PeerReply.ScanPage(entries, from);
    }

    private static bool IsWanted(PeerRequest.VnodeScan request, StoredEntry entry, Regex? pattern) =>
        (request.Space != ScanSpace.Records || !ObjectCodec.IsTombstone(entry.Value))
        && (pattern is null || (IndexRange.TermOf(request.Space, entry.Key.Span, request.TermAt) is { } term && pattern.IsMatch(term)));
}
