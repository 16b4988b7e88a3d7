using System.Threading.Tasks.Sources;
using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// Something asked of a vnode, and the promise of its answer: one allocation for both. Awaited once. Whoever awaits goes on elsewhere, never on the
/// mailbox's own turn.
/// </summary>
internal abstract class VnodeCommand : IValueTaskSource<VnodeReply>
{
    private bool isAnswered;
    private ManualResetValueTaskSourceCore<VnodeReply> source = new() { RunContinuationsAsynchronously = true };

    /// <summary>What the answer waits for, once the command was applied.</summary>
    public virtual Durability Durability => Durability.Memory;

    /// <summary>The answer, set when the command is applied and given when it is durable.</summary>
    public VnodeReply Pending { get; set; }

    /// <summary>Whether the command changed its keys' values, or confirmed values that may not be on disk yet.</summary>
    public bool AwaitsDurability { get; set; }

    public ValueTask<VnodeReply> Answer => new(this, source.Version);

    /// <summary>Gives the answer, unless one was given: a turn that failed half-way has answered some.</summary>
    public void Complete(VnodeReply reply)
    {
        if (!isAnswered)
        {
            isAnswered = true;
            source.SetResult(reply);
        }
    }

    VnodeReply IValueTaskSource<VnodeReply>.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<VnodeReply>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<VnodeReply>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);

    /// <summary>Reads one key.</summary>
    public sealed class Get(ReadOnlyMemory<byte> key, bool headOnly) : VnodeCommand
    {
        public ReadOnlyMemory<byte> Key { get; } = key;

        public bool HeadOnly { get; } = headOnly;
    }

    /// <summary>A client's write that this vnode coordinates: it gives the dot.</summary>
    public sealed class Coordinate(
        ReadOnlyMemory<byte> key, Sibling content, DataTypeUpdate? update, VersionVector context, BucketProps props, ICoordinatedWrite? observer) : VnodeCommand
    {
        /// <summary>Told when the write is applied.</summary>
        public ICoordinatedWrite? Observer { get; } = observer;

        public ReadOnlyMemory<byte> Key { get; } = key;

        public Sibling Content { get; } = content;

        /// <summary>What makes the content, in a bucket with a data type.</summary>
        public DataTypeUpdate? Update { get; } = update;

        /// <summary>What the client had seen.</summary>
        public VersionVector Context { get; } = update?.Context ?? context;

        public BucketProps Props { get; } = props;

        /// <summary>See <see cref="KvRequest.Put.IsExpiry"/>.</summary>
        public bool IsExpiry { get; init; }

        public override Durability Durability => Props.CoordinatorDurability;
    }

    /// <summary>An object from elsewhere that is to be merged with what is here.</summary>
    public sealed class Merge(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> stored, Fence fence, Durability durability, BucketProps props) : VnodeCommand
    {
        /// <summary>This node's, as the sender knew it before it read the object.</summary>
        public Fence Fence { get; } = fence;

        public ReadOnlyMemory<byte> Key { get; } = key;

        public ReadOnlyMemory<byte> Stored { get; } = stored;

        public BucketProps Props { get; } = props;

        /// <summary>A write of the partition's owner, which this node is to be in its place.</summary>
        public bool IsPassedOn { get; init; }

        public override Durability Durability { get; } = durability;
    }

    /// <summary>Many objects from elsewhere; answered when all are on disk.</summary>
    public sealed class MergeBatch(IReadOnlyList<StoredEntry> entries, Fence fence) : VnodeCommand
    {
        /// <summary>This node's, as the sender knew it before it read the objects.</summary>
        public Fence Fence { get; } = fence;

        public IReadOnlyList<StoredEntry> Entries { get; } = entries;

        public override Durability Durability => Durability.Synced;
    }

    /// <summary>Says of each key whether it holds what is expected; answered when that is on disk and all that was applied before is where it has to be.</summary>
    public sealed class Confirm(IReadOnlyList<HeldKey> keys) : VnodeCommand
    {
        public IReadOnlyList<HeldKey> Keys { get; } = keys;

        public override Durability Durability => Durability.Synced;
    }

    /// <summary>Removes each key if it holds exactly the tombstone that is expected.</summary>
    public sealed class Reap(IReadOnlyList<HeldKey> keys) : VnodeCommand
    {
        public IReadOnlyList<HeldKey> Keys { get; } = keys;

        public override Durability Durability => Durability.Synced;
    }

    /// <summary>
    /// Removes each key that holds exactly this, which is with the partition's owner now: unless anything was changed or confirmed here since <paramref name="ifWrites"/>,
    /// because somebody may rely on its being here then. Answered when that is on disk: what is not here any more must not come back, for a reaper may be told so.
    /// </summary>
    public sealed class Forget(IReadOnlyList<StoredEntry> entries, long ifWrites) : VnodeCommand
    {
        public IReadOnlyList<StoredEntry> Entries { get; } = entries;

        public long IfWrites { get; } = ifWrites;

        public bool Forgotten { get; set; }

        public override Durability Durability => Durability.Synced;
    }

    /// <summary>From here on, every write goes to the target as well.</summary>
    public sealed class BeginTransfer(VnodeTransfer transfer) : VnodeCommand
    {
        public VnodeTransfer Transfer { get; } = transfer;
    }

    /// <summary>Reads the next few segments for trees that are built anew; with the last ones, the trees take the place of the store's.</summary>
    public sealed class BuildTrees(TreeLayout layout, bool isFirst) : VnodeCommand
    {
        public TreeLayout Layout { get; } = layout;

        /// <summary>Begin with the first segment, whatever was built before.</summary>
        public bool IsFirst { get; } = isFirst;

        public bool IsWhole { get; set; }

        /// <summary>Of keys and values that were read.</summary>
        public long Bytes { get; set; }

        /// <summary>How long the turn was at it.</summary>
        public TimeSpan Work { get; set; }
    }

    /// <summary>Reads the keys of the next few segments, whole ones, to go through all data without keeping a fold open.</summary>
    public sealed class ReadSegments(int from) : VnodeCommand
    {
        public int From { get; } = from;

        public List<ReadOnlyMemory<byte>> Keys { get; } = [];

        /// <summary>The segment to go on with.</summary>
        public int Next { get; set; }
    }

    /// <summary>Reads what leaves of a tree of that depth hold, a page of it.</summary>
    public sealed class ReadTree(TreeRange range, ulong layout, int depth, IReadOnlyList<int> leaves, ReadOnlyMemory<byte> after) : VnodeCommand
    {
        public TreeRange Range { get; } = range;

        public ulong Layout { get; } = layout;

        public int Depth { get; } = depth;

        public IReadOnlyList<int> Leaves { get; } = leaves;

        /// <summary>Of the first leaf, only keys after this one; empty for all.</summary>
        public ReadOnlyMemory<byte> After { get; } = after;

        public List<TreeEntry> Entries { get; } = [];

        /// <summary>How many of the leaves the page ends. With none, it ends within the first.</summary>
        public int Whole { get; set; }

        public int Bytes { get; set; }

        /// <summary>How long the turn was at it.</summary>
        public TimeSpan Work { get; set; }
    }

    /// <summary>
    /// Drops the store if nothing was written since <paramref name="ifWrites"/> and the transfer <paramref name="ifWhole"/>, if given, missed nothing; always
    /// the last of its pass.
    /// </summary>
    public sealed class Drop(long ifWrites, VnodeTransfer? ifWhole) : VnodeCommand
    {
        public long IfWrites { get; } = ifWrites;

        public VnodeTransfer? IfWhole { get; } = ifWhole;

        public bool Dropped { get; set; }
    }
}
