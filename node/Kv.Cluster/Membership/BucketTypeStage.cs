namespace Kv.Cluster.Membership;

/// <summary>How far a bucket type has come.</summary>
public enum BucketTypeStage
{
    Created,

    /// <summary>Created, and every member that is not down has it.</summary>
    Ready,

    Active,
}
