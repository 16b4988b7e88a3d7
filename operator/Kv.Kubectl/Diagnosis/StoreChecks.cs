using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;
using static Kv.Kubectl.Diagnosis.FindingLevel;

namespace Kv.Kubectl.Diagnosis;

/// <summary>Checks of what each node keeps and uses: disk, memory, data.</summary>
internal static class StoreChecks
{
    /// <summary>Twice of what a node leaves free before it refuses writes, on a disk that is not small.</summary>
    private const long LeastFreeBytes = 1L << 30;

    // Of what data has and could have yet. At 80 % nodes should be added (reference 11.4).
    private const double DiskWarning = 0.8;
    private const double DiskCritical = 0.92;

    private const double MemoryWarning = 0.9;
    private const double MemoryCritical = 0.97;

    public static IEnumerable<Finding> Disk(ClusterFacts facts)
    {
        foreach (var (name, member) in facts.Answers)
        {
            var (data, free) = (member.Node.DataBytes, member.Node.DiskFreeBytes);
            var share = data + free <= 0 ? 0 : (double)data / (data + free);
            var least = Math.Min(LeastFreeBytes, (data + free) / 10);
            if (share < DiskWarning && free >= least)
            {
                continue;
            }

            var isCritical = share >= DiskCritical || free < least;
            yield return new(
                isCritical ? Critical : Warning,
                $"{name} has {Words.Bytes(free)} of disk left beside {Words.Bytes(data)} of data{(isCritical ? ": it refuses writes before the disk is full" : "")}. Add nodes, or a larger disk");
        }
    }

    public static IEnumerable<Finding> Memory(ClusterFacts facts)
    {
        foreach (var (name, member) in facts.Answers.Where(member => member.Facts.Node.MemoryLimitBytes > 0))
        {
            var share = (double)member.Node.MemoryBytes / member.Node.MemoryLimitBytes;
            if (share >= MemoryWarning)
            {
                yield return new(
                    share >= MemoryCritical ? Critical : Warning,
                    $"{name} uses {Words.Bytes(member.Node.MemoryBytes)} of the {Words.Bytes(member.Node.MemoryLimitBytes)} of memory that it may have: in a container it is ended at the limit");
            }
        }
    }

    public static IEnumerable<Finding> Damage(ClusterFacts facts) =>
        from member in facts.Answers
        from damage in member.Facts.Node.Damaged
        select new Finding(
            Critical,
            $"{member.Name}: the data of partition {Words.Number(damage.Partition)} is damaged and not served: {damage.Reason} To have it rebuilt: kv admin cluster rebuild {Words.Number(damage.Partition)} {member.Name}");

    public static IEnumerable<Finding> AntiEntropy(ClusterFacts facts)
    {
        foreach (var (name, member) in facts.Answers)
        {
            var told = member.AntiEntropy;
            if (!told.On)
            {
                yield return new(Warning, $"anti-entropy is off on {name}: replicas that differ are found only when they are read");
                continue;
            }

            if (told.Trees.FirstOrDefault(tree => tree.LastError.Length > 0) is { } tree)
            {
                yield return new(Warning, $"{name}: hash trees of {Words.Count(told.Trees.Count(t => t.LastError.Length > 0), "partition")} could not be built, as of {Words.Number(tree.Partition)}: {tree.LastError}");
            }

            var failed = told.Exchanges.Where(exchange => exchange.State == Exchange.Types.State.Failed).ToList();
            if (failed.Count > 0)
            {
                yield return new(Warning, $"{name}: {Words.Count(failed.Count, "comparison")} failed and will be tried again, as that of partition {Words.Number(failed[0].Partition)} with {failed[0].Peer}: {failed[0].LastError}");
            }

            if (told.KeyRepair is { } repair && AaeOutput.HasFailed(repair))
            {
                yield return new(Warning, $"{name}: {AaeOutput.TextOf(repair)}");
            }
        }
    }
}
