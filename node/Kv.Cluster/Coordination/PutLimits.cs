using Kv.Core.Buckets;
using Kv.Core.Indexes;
using Kv.Core.Stores;

namespace Kv.Cluster.Coordination;

/// <summary>What a value with its metadata may not be more than: asked of what a client sends, and of what a hook makes of it.</summary>
internal static class PutLimits
{
    public static KvError? Check(KvRequest.Put put, BucketProps props, ClusterOptions options)
    {
        if (put.Content.Value.Length > options.MaxObjectBytes)
        {
            return new KvError.ObjectTooLarge(put.Content.Value.Length, options.MaxObjectBytes);
        }

        foreach (var (field, term) in put.Content.Metadata.Indexes)
        {
            if ((long)field.Length + term.Length > IndexEntries.MaxLength)
            {
                return new KvError.InvalidRequest($"an index entry has {(long)field.Length + term.Length} characters, more than {IndexEntries.MaxLength}");
            }
        }

        return props.StoreBackend == StoreBackend.Ordered ? WhyNotIndexed(put) : null;
    }

    /// <summary>Counted first, since entries are worked out one by one.</summary>
    private static KvError.InvalidRequest? WhyNotIndexed(KvRequest.Put put) =>
        put.Content.Metadata.Indexes.Length > IndexEntries.MaxEntries || !IndexEntries.Fit(put.Key, put.Content) ? KvErrors.TooManyIndexEntries : null;
}
