using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.Cluster;

/// <summary>What a front end asks of the cluster. Options left at their default take the bucket's property (Riak 2.1).</summary>
public abstract record KvRequest
{
    private KvRequest()
    {
    }

    public required ObjectKey Key { get; init; }

    /// <summary>Null for the default, <see cref="ClusterOptions.RequestTimeout"/>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether fallbacks may stand in for primaries that are down.</summary>
    public bool SloppyQuorum { get; init; } = true;

    /// <summary>Fewer replicas than the bucket's n_val for this request.</summary>
    public int? NVal { get; init; }

    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Default;

    /// <summary>Set on a request that another node has handed on: it is not handed on again.</summary>
    public bool IsForwarded { get; init; }

    public sealed record Get : KvRequest
    {
        public QuorumValue R { get; init; } = QuorumValue.Default;

        public QuorumValue Pr { get; init; } = QuorumValue.Default;

        public bool? BasicQuorum { get; init; }

        public bool? NotFoundOk { get; init; }

        /// <summary>Metadata without values.</summary>
        public bool HeadOnly { get; init; }

        /// <summary>Answer <see cref="KvOutcome.Unchanged"/> if the object's clock equals this one.</summary>
        public VersionVector? IfModified { get; init; }
    }

    public sealed record Put : KvRequest
    {
        /// <summary>The value with its metadata, or a tombstone; dot, time and tag are the coordinator's to set.</summary>
        public required Sibling Content { get; init; }

        /// <summary>In a bucket with a data type, what is done to it; <see cref="Content"/> is an empty one then.</summary>
        public DataTypeUpdate? Update { get; init; }

        /// <summary>Whether this tombstone ends an object whose time is over: nothing newer gives way to it. Carried out by this node's vnode or not at all.</summary>
        internal bool IsExpiry { get; init; }

        /// <summary>What the writer has seen; <see cref="VersionVector.Empty"/> for nothing.</summary>
        public VersionVector Context { get; init; } = VersionVector.Empty;

        public QuorumValue W { get; init; } = QuorumValue.Default;

        public QuorumValue Dw { get; init; } = QuorumValue.Default;

        public QuorumValue Pw { get; init; } = QuorumValue.Default;

        public bool ReturnBody { get; init; }

        public bool ReturnHead { get; init; }

        /// <summary>Refuse if a value exists (a tombstone does not count).</summary>
        public bool IfNoneMatch { get; init; }

        /// <summary>Refuse unless the stored clock equals <see cref="Context"/>.</summary>
        public bool IfNotModified { get; init; }

        /// <summary>Store as sent under <see cref="Context"/>: no coordinator, no new dot.</summary>
        public bool AsIs { get; init; }
    }

    public sealed record Delete : KvRequest
    {
        /// <summary>What the deleter has seen; null to read it first.</summary>
        public VersionVector? Context { get; init; }

        public QuorumValue Rw { get; init; } = QuorumValue.Default;

        public QuorumValue R { get; init; } = QuorumValue.Default;

        public QuorumValue Pr { get; init; } = QuorumValue.Default;

        public QuorumValue W { get; init; } = QuorumValue.Default;

        public QuorumValue Dw { get; init; } = QuorumValue.Default;

        public QuorumValue Pw { get; init; } = QuorumValue.Default;

        /// <summary>See <see cref="Put.IsExpiry"/>.</summary>
        internal bool IsExpiry { get; init; }
    }
}
