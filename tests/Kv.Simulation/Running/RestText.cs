using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>What keeps a cluster from being at rest.</summary>
internal static class RestText
{
    public static string WhyNot(SimCluster cluster) => string.Join("; ", cluster.Nodes.Select(Of));

    private static string Of(SimNode node)
    {
        if (!node.IsUp)
        {
            return $"{node.Name} down";
        }

        var transfers = node.Node.Admin.GetTransfers().Where(transfer => transfer.From == node.Id)
            .Select(transfer => $"{transfer.Kind} {transfer.Partition} to {transfer.To} {transfer.State} {transfer.LastError}");
        return $"{node.Name} v{node.Document?.Version} sees {node.Node.State.Current.Up.Count}, {node.Node.Vnodes.Count} vnodes, damaged [{string.Join(", ", node.Volume.Reported.Keys)}], [{string.Join(", ", transfers)}]";
    }
}
