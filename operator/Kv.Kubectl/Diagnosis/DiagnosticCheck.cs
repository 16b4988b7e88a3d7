namespace Kv.Kubectl.Diagnosis;

/// <summary>A question about a cluster that <c>kv admin diag</c> answers. <paramref name="Find"/> asks nobody: it looks at what is known.</summary>
internal sealed record DiagnosticCheck(string Name, string Description, Func<ClusterFacts, IEnumerable<Finding>> Find)
{
    /// <summary>In the order in which they are shown.</summary>
    public static IReadOnlyList<DiagnosticCheck> All { get; } =
    [
        new("members", "Members that are down, marked as down or draining", MemberChecks.Members),
        new("answers", "Members that are up and do not answer", MemberChecks.Answers),
        new("links", "Members that do not reach each other", MemberChecks.Links),
        new("clocks", "Clocks that differ", MemberChecks.Clocks),
        new("programs", "Programs of different versions", MemberChecks.Programs),
        new("ring", "Members that hold an older ring, and changes that are staged", RingChecks.Ring),
        new("replicas", "Keys with few replicas alive, and fewer members than replicas", RingChecks.Replicas),
        new("transfers", "Transfers that fail or do not move", RingChecks.Transfers),
        new("bucket_types", "Bucket types that some member does not have, or that wait for activation", RingChecks.BucketTypes),
        new("disk", "Disks that are nearly full", StoreChecks.Disk),
        new("memory", "Processes that are near their memory limit", StoreChecks.Memory),
        new("damage", "Partitions whose data is damaged or gone", StoreChecks.Damage),
        new("anti_entropy", "Replicas that are not compared, or whose comparison fails", StoreChecks.AntiEntropy),
    ];
}
