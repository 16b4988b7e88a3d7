using Kv.Operator.Api.BucketTypes;

namespace Kv.Operator.BucketTypes;

/// <summary>What the BucketType objects of a namespace ask for.</summary>
internal interface IBucketTypeClaims
{
    /// <summary>
    /// Of all objects of the namespace of <paramref name="type"/>, be it as of some seconds ago; never from before the object itself was made or its spec changed. Those that cannot be read as
    /// a whole are among them.
    /// </summary>
    Task<IReadOnlyList<BucketTypeClaim>> AllBesideAsync(BucketType type, CancellationToken cancel);
}
