using Kv.Core.Quorum;

namespace Kv.Cluster.Coordination;

/// <summary>A vnode that a query reads in order: what of its present page is left, and where the next begins.</summary>
internal sealed class IndexShare(CoveragePlan.Share share, ReadOnlyMemory<byte> from)
{
    private IReadOnlyList<ReadOnlyMemory<byte>> page = [];
    private int at;

    public CoveragePlan.Share Share { get; } = share;

    /// <summary>Where its next page begins; null when there is none.</summary>
    public ReadOnlyMemory<byte>? Next { get; private set; } = from;

    public bool HasEntry => at < page.Count;

    public ReadOnlyMemory<byte> Entry => page[at];

    public void Advance() => at++;

    public void Take(IReadOnlyList<ReadOnlyMemory<byte>> entries, ReadOnlyMemory<byte>? next) => (page, at, Next) = (entries, 0, next);
}
