using System.Collections.Immutable;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// Which backend keeps a key, by the bucket types of the document in force, worked out once for each set of them. A type counts from its creation on, since every member that is up has it before any has it active, and with
/// it data. A key of a type that nobody knew goes by hash; the vnode moves it when it is read or written again. Safe from any thread.
/// </summary>
internal sealed class KeyBackends(ClusterState state)
{
    private volatile Known? known;

    private sealed record Known(ImmutableSortedDictionary<string, BucketType> Types, ImmutableArray<(byte[] Prefix, StoreBackend Backend)> Exceptions);

    // hot
    public StoreBackend Of(ReadOnlySpan<byte> key)
    {
        if (state.Current.Document is not { } document)
        {
            return StoreBackend.Hash;
        }

        if (known is not { } latest || latest.Types != document.BucketTypes)
        {
            known = latest = new Known(document.BucketTypes, ExceptionsOf(document));
        }

        foreach (var (prefix, backend) in latest.Exceptions)
        {
            if (key.StartsWith(prefix))
            {
                return backend;
            }
        }

        return StoreBackend.Hash;
    }

    private static ImmutableArray<(byte[] Prefix, StoreBackend Backend)> ExceptionsOf(ClusterDocument document) =>
    [
        .. document.BucketTypes.Where(type => type.Value is { Props.StoreBackend: not StoreBackend.Hash })
            .Select(type => (ObjectKeyCodec.TypePrefix(type.Key), type.Value.Props.StoreBackend)),
    ];
}
