namespace Kv.Cluster.Membership;

/// <summary>What sort of refusal an administrator got; front ends map it to their status.</summary>
public enum AdminRefusalKind
{
    /// <summary>The cluster's state does not allow it.</summary>
    FailedPrecondition,

    /// <summary>The request itself makes no sense.</summary>
    InvalidArgument,

    NotFound,

    AlreadyExists,

    /// <summary>The document changed under the caller: read it again.</summary>
    Aborted,

    /// <summary>No majority of members, or not the node that was meant, could be reached.</summary>
    Unavailable,
}
