namespace Kv.Cluster.Membership;

/// <summary>What became of a document that was handed to this node.</summary>
internal enum LearnResult
{
    Learned,

    /// <summary>The one held is as new.</summary>
    AlreadyKnown,

    /// <summary>It is another cluster's.</summary>
    OtherCluster,

    /// <summary>This node is in no cluster and not among the document's members: nobody staged its join. Or it was removed, for good.</summary>
    NotMember,

    /// <summary>The newer document of this node's cluster lists it no more: it was a member, and is in no cluster again.</summary>
    Removed,

    /// <summary>The newer document of this node's cluster lists it no more, and it had not joined yet: it is as free as before.</summary>
    TakenBack,

    /// <summary>It breaks a law of documents.</summary>
    Broken,
}
