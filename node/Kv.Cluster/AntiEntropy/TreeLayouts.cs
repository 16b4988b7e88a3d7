using Kv.Cluster.Membership;
using Kv.Core.AntiEntropy;
using Kv.Core.Membership;

namespace Kv.Cluster.AntiEntropy;

/// <summary>The layout of the document in force, worked out once for each document. Safe from any thread.</summary>
internal sealed class TreeLayouts(ClusterState state, ClusterOptions options)
{
    private volatile Known? known;

    private sealed record Known(ClusterDocument Document, TreeLayout Layout);

    /// <summary>Null while the node is in no cluster, or where anti-entropy is off: then no trees are kept.</summary>
    // hot
    public TreeLayout? Current
    {
        get
        {
            if (!options.AntiEntropy || state.Current.Document is not { } document)
            {
                return null;
            }

            if (known is not { } latest || latest.Document != document)
            {
                known = latest = new Known(document, TreeLayout.Of(document));
            }

            return latest.Layout;
        }
    }
}
