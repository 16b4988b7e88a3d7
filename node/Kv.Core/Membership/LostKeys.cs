namespace Kv.Core.Membership;

/// <summary>
/// Keys that a plan leaves without any replica: those of buckets with <paramref name="NVal"/> replicas whose first partition is one of <paramref name="Ranges"/>
/// of the ring's. What stand-ins may hold of them is not counted on.
/// </summary>
public readonly record struct LostKeys(int NVal, int Ranges);
