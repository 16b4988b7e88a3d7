using System.Collections.Concurrent;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Runtime;

namespace Kv.Operator.BucketTypes;

/// <summary>
/// Lists of whole namespaces, each used for some seconds by all passes over its objects: a list for each pass would be as many lists as there are objects, of all of them. Thread-safe; passes that
/// want the same list at once may each read it.
/// </summary>
internal sealed class SharedClaims(IKubernetesApi api, TimeProvider time) : IBucketTypeClaims
{
    public static readonly TimeSpan Lasts = TimeSpan.FromSeconds(5);

    /// <summary>By namespace, with the time before it was read. None is older than <see cref="Lasts"/> after the next list of any.</summary>
    private readonly ConcurrentDictionary<string, (long At, IReadOnlyList<BucketTypeClaim> Claims)> lists = new(StringComparer.Ordinal);

    public async Task<IReadOnlyList<BucketTypeClaim>> AllBesideAsync(BucketType type, CancellationToken cancel)
    {
        var name = type.Metadata.NamespaceProperty;
        if (lists.TryGetValue(name, out var known) && !IsOld(known.At) && known.Claims.Any(claim => IsAsIn(type, claim)))
        {
            return known.Claims;
        }

        var at = time.GetTimestamp();
        var claims = await ListAsync(name, cancel);
        lists[name] = (at, claims);
        foreach (var (old, list) in lists)
        {
            if (IsOld(list.At))
            {
                lists.TryRemove(KeyValuePair.Create(old, list));
            }
        }

        return claims;
    }

    private bool IsOld(long at) => time.GetElapsedTime(at) >= Lasts;

    private static bool IsAsIn(BucketType type, BucketTypeClaim claim) =>
        claim.Name == type.Metadata.Name && claim.Uid == type.Metadata.Uid && claim.Generation == type.Metadata.Generation;

    private async Task<IReadOnlyList<BucketTypeClaim>> ListAsync(string name, CancellationToken cancel)
    {
        var claims = new List<BucketTypeClaim>();
        string? next = null;
        do
        {
            var page = await api.ListAsync(ResourceKind.BucketType, name, null, next, cancel);
            claims.AddRange(page.Items.Select(BucketTypeClaim.Read));
            next = page.ContinueToken;
        }
        while (next is not null);
        return claims;
    }
}
