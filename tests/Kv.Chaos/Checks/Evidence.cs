using Kv.Chaos.Machines;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>What is kept of a run beside its summary: the nodes' logs always, their data where some of it was lost.</summary>
internal static class Evidence
{
    /// <summary>Takes away what an earlier run left in the same place.</summary>
    public static void Clear(string report)
    {
        foreach (var name in new[] { "logs", "clocks", "volumes", "data" })
        {
            var directory = Path.Combine(report, name);
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    /// <summary>Copies each node's data out of its disk in memory; logs made ready ahead are holes in the copy.</summary>
    public static async Task KeepAsync(IEnumerable<ChaosNode> nodes, string report)
    {
        foreach (var node in nodes.Where(node => Directory.Exists(node.Volume.Data)))
        {
            var to = Path.Combine(report, "data", node.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            await Tool.RunAsync("cp", ["-r", "--sparse=always", node.Volume.Data, to]);
        }
    }
}
