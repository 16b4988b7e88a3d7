namespace Kv.Core.Membership;

/// <summary>Where a member stands (Riak 1.5). Persisted and sent: append only.</summary>
public enum MemberState
{
    /// <summary>Asked to join and staged; owns nothing and has no vote until the plan is committed.</summary>
    Joining = 0,

    /// <summary>A full member: owns partitions, votes on the document.</summary>
    Valid = 1,

    /// <summary>Gives its partitions away; votes until it is gone.</summary>
    Leaving = 2,

    /// <summary>Owns nothing any more and may be stopped.</summary>
    Exiting = 3,

    /// <summary>Marked unreachable by an administrator, so that changes need not wait for it; valid again when it returns.</summary>
    Down = 4,
}
