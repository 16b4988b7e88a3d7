namespace Kv.Core.Membership;

/// <summary>
/// The stable words by which a change of the cluster is refused. Riak's where it has one (riak_core_claimant, riak_core_bucket_type); programs
/// compare them, so a word is never changed.
/// </summary>
public static class RefusalReason
{
    /// <summary>The node to join is the cluster itself.</summary>
    public const string SelfJoin = "self_join";

    public const string NotMember = "not_member";
    public const string OnlyMember = "only_member";
    public const string AlreadyLeaving = "already_leaving";

    /// <summary>The member is marked down, and what is asked needs its data.</summary>
    public const string MemberDown = "member_down";

    /// <summary>Only a valid member can be marked down.</summary>
    public const string NotValid = "not_valid";

    /// <summary>Another member has that name.</summary>
    public const string NameTaken = "name_taken";

    /// <summary>The member still owns partitions, or was never told to leave.</summary>
    public const string NotExiting = "not_exiting";

    /// <summary>The member still holds data: its own, or another's that it stood in for.</summary>
    public const string HoldsData = "holds_data";

    /// <summary>The node replaces, or is replaced by, another already.</summary>
    public const string AlreadyReplacement = "already_replacement";

    /// <summary>Fewer members would stay than some bucket has replicas.</summary>
    public const string TooFewMembers = "too_few_members";

    /// <summary>A zone would be without members, and replicas are to be in that many.</summary>
    public const string TooFewZones = "too_few_zones";

    /// <summary>A member that stays has not the room for what it is to take.</summary>
    public const string NoSpace = "no_space";

    /// <summary>Keys would have no replica left, and the caller did not say that they may be lost.</summary>
    public const string DataLoss = "data_loss";

    /// <summary>The partition's data is not known to be damaged.</summary>
    public const string NotDamaged = "not_damaged";

    public const string InvalidMember = "invalid_member";
    public const string TooManyMembers = "too_many_members";

    /// <summary>There is nothing staged to commit.</summary>
    public const string NothingPlanned = "nothing_planned";

    /// <summary>What is staged, the members or the ring are not what the plan was made from.</summary>
    public const string PlanChanged = "plan_changed";

    /// <summary>An earlier plan's partitions are still on their way.</summary>
    public const string PendingTransfers = "pending_transfers";

    /// <summary>Members do not all hold the same document yet.</summary>
    public const string RingNotReady = "ring_not_ready";

    /// <summary>The joining node is in a cluster already.</summary>
    public const string NotSingleNode = "not_single_node";

    public const string NotReachable = "not_reachable";

    /// <summary>The member to be marked down can be reached.</summary>
    public const string IsUp = "is_up";

    /// <summary>The type `default` exists without being created.</summary>
    public const string DefaultType = "default_type";

    /// <summary>The type `default` is changed by the nodes' configuration, not by update.</summary>
    public const string NoDefaultUpdate = "no_default_update";

    public const string AlreadyActive = "already_active";
    public const string NotActive = "not_active";

    /// <summary>Not every member has the type yet.</summary>
    public const string NotReady = "not_ready";

    /// <summary>There is no bucket type of that name.</summary>
    public const string Undefined = "undefined";

    public const string InvalidName = "invalid_name";
    public const string InvalidProps = "invalid_props";
    public const string TooManyBucketTypes = "too_many_bucket_types";
    public const string TooManyBuckets = "too_many_buckets";
}
