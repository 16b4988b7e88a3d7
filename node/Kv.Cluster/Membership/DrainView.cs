namespace Kv.Cluster.Membership;

/// <summary>
/// How far a node is with its drain. <paramref name="HintsToReturn"/> are partitions that it holds for owners that are up; those of owners that are down
/// (<paramref name="HintsToKeep"/>) stay on its disk and are handed back after the restart.
/// </summary>
public sealed record DrainView(bool IsDraining, int RequestsUnderWay, int HintsToReturn, int HintsToKeep)
{
    public bool IsDone => IsDraining && RequestsUnderWay == 0 && HintsToReturn == 0;
}
