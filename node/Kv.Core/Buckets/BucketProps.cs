using System.Collections.Immutable;
using Kv.Core.Quorum;
using Kv.Core.Stores;

namespace Kv.Core.Buckets;

/// <summary>
/// The properties of a bucket or a bucket type, whole and valid (Riak's meanings and names: riak_core_bucket_props,
/// riak_kv_bucket). Only BucketPropsRules changes one, so an instance that exists can be relied on.
/// </summary>
public sealed record BucketProps
{
    public const string HashBackend = "faster";
    public const string OrderedBackend = "ordered";
    public const string MemoryBackend = "memory";

    /// <summary>What <see cref="Backend"/> may be.</summary>
    public static ImmutableArray<string> Backends { get; } = [HashBackend, OrderedBackend, MemoryBackend];

    /// <summary>Properties of the type `default` and of untyped buckets until changed: one value, the newest by the clock, as in Riak.</summary>
    public static BucketProps DefaultType { get; } = new();

    /// <summary>Properties of a new bucket type until changed: siblings kept under dotted version vectors.</summary>
    public static BucketProps NewType { get; } = new() { AllowMult = true, DvvEnabled = true };

    public int NVal { get; init; } = 3;

    public QuorumValue R { get; init; } = QuorumValue.Quorum;

    public QuorumValue W { get; init; } = QuorumValue.Quorum;

    public QuorumValue Pr { get; init; } = QuorumValue.Of(0);

    public QuorumValue Pw { get; init; } = QuorumValue.Of(0);

    public QuorumValue Dw { get; init; } = QuorumValue.Quorum;

    public QuorumValue Rw { get; init; } = QuorumValue.Quorum;

    /// <summary>Replicas that the strictest request asks for which says nothing itself; a quorum at least, since any request may say that.</summary>
    public int LargestQuorum
    {
        get
        {
            var largest = QuorumValue.Quorum.Resolve(NVal, R);
            foreach (var quorum in (ReadOnlySpan<QuorumValue>)[R, W, Pr, Pw, Dw, Rw])
            {
                largest = Math.Max(largest, quorum.Resolve(NVal, quorum));
            }

            return largest;
        }
    }

    public QuorumValue NodeConfirms { get; init; } = QuorumValue.Of(0);

    public bool AllowMult { get; init; }

    public bool LastWriteWins { get; init; }

    public bool DvvEnabled { get; init; }

    public bool BasicQuorum { get; init; }

    public bool NotFoundOk { get; init; } = true;

    public SyncOnWrite SyncOnWrite { get; init; }

    /// <summary>Seconds; with the three below, when a clock is pruned (Riak 3.4).</summary>
    public int OldVClockSeconds { get; init; } = 86400;

    public int YoungVClockSeconds { get; init; } = 20;

    /// <summary>Entries.</summary>
    public int BigVClock { get; init; } = 50;

    public int SmallVClock { get; init; } = 50;

    /// <summary>Names of the hooks that are asked before a write, in this order; see <see cref="CommitHooks"/>.</summary>
    public ImmutableArray<string> PreCommit { get; init; } = [];

    /// <summary>Names of the hooks that are told after a write.</summary>
    public ImmutableArray<string> PostCommit { get; init; } = [];

    public bool HasCommitHooks => !PreCommit.IsEmpty || !PostCommit.IsEmpty;

    public ModuleFunction ChashKeyFun { get; init; } = new("riak_core_util", "chash_std_keyfun");

    public ModuleFunction LinkFun { get; init; } = new("riak_kv_wm_link_walker", "mapreduce_linkfun");

    /// <summary>A bucket type's engine (<see cref="Backends"/>), for good; null where unset, which means <see cref="HashBackend"/>.</summary>
    public string? Backend { get; init; }

    public StoreBackend StoreBackend => Backend switch
    {
        OrderedBackend => StoreBackend.Ordered,
        MemoryBackend => StoreBackend.Memory,
        _ => StoreBackend.Hash,
    };

    public string? SearchIndex { get; init; }

    /// <summary>`true`, `false`, `realtime`, `fullsync`; null where unset (which means true).</summary>
    public string? Repl { get; init; }

    /// <summary>`counter`, `set`, `gset`, `map`, `hll`; null for plain objects.</summary>
    public string? DataType { get; init; }

    public int? HllPrecision { get; init; }

    public bool Consistent { get; init; }

    public bool WriteOnce { get; init; }

    public bool StatTracked { get; init; }

    /// <summary>Ours, not Riak's (where it is one setting of the node): when this type's tombstones may go.</summary>
    public DeleteMode DeleteMode { get; init; } = DeleteMode.Default;

    /// <summary>Ours: whether replicas look for differences by themselves (active anti-entropy). A cache may do without.</summary>
    public bool Aae { get; init; } = true;

    /// <summary>Ours, and a bucket type's alone: seconds after its write when an object is no more (<see cref="Objects.Expiry"/>); null for never.</summary>
    public int? TtlSeconds { get; init; }

    /// <summary>Ours: what `dw` waits for.</summary>
    public Durability Durability { get; init; } = Durability.Synced;

    /// <summary>When a write is durable at the node that coordinates it.</summary>
    public Durability CoordinatorDurability => SyncOnWrite == SyncOnWrite.Backend ? Durability : Durability.Synced;

    /// <summary>When a write is durable at the other replicas.</summary>
    public Durability ReplicaDurability => SyncOnWrite == SyncOnWrite.All ? Durability.Synced : Durability;
}
