using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Keeps a vnode's hash trees: what a turn changes goes into the turn's own batch; trees of another layout than the document's are dropped with the first write that
/// they would miss; and they are built anew, a few segments a turn. The mailbox's own, but for <see cref="MustIndex"/>.
/// </summary>
internal sealed class TreeKeeper(PartitionId partition, IPartitionStore store, VnodeContext context)
{
    /// <summary>At the usual pace a thousand tombstones a second, which is what a reaper gets done.</summary>
    private const int ReapBytes = 8 * 1024;

    private readonly List<TreeChange> changes = [];
    private readonly List<ReadOnlyMemory<byte>> keys = [];
    private readonly List<ReadOnlyMemory<byte>> leafKeys = [];
    private readonly List<TreeEntry> entries = [];
    private readonly List<ReadOnlyMemory<byte>> deleted = [];
    private readonly ReadBatch reads = new();
    private TreeBuild? build;
    private bool isFinishing;
    private volatile bool mustIndex;

    /// <summary>The store's keys by segment were found not to be those of its trees: they are to be learned anew before trees are built.</summary>
    public bool MustIndex
    {
        get => mustIndex;
        set => mustIndex = value;
    }

    /// <summary>Reads what a command about trees or segments needs, before the turn's other commands change it. Where the store refuses that, the command alone is refused.</summary>
    public async ValueTask PrepareAsync(VnodeCommand command, VnodePass pass)
    {
        var began = context.Time.GetTimestamp();
        try
        {
            switch (command)
            {
                case VnodeCommand.BuildTrees step:
                    await BuildAsync(step, pass);
                    step.Work = context.Time.GetElapsedTime(began);
                    break;
                case VnodeCommand.ReadTree read:
                    await ReadAsync(read, pass);
                    read.Work = context.Time.GetElapsedTime(began);
                    break;
                case VnodeCommand.ReadSegments segments:
                    await ReadSegmentsAsync(segments);
                    break;
            }
        }
        catch (StoreRefusedException)
        {
            command.Pending = VnodeReply.Overloaded;
        }
    }

    /// <summary>Puts what the turn changes into its batch; call when its keys have their last values.</summary>
    // hot
    public void Collect(VnodePass pass)
    {
        changes.Clear();
        var layout = pass.Layout;
        if (build is not null && build.Layout.Id != layout?.Id)
        {
            (build, isFinishing) = (null, false);
        }

        var isKept = layout is not null && store.Trees.Layout == layout.Id;
        if (isKept || build is not null)
        {
            pass.CollectTreeChanges(partition, layout!, changes);
        }

        if (isFinishing)
        {
            pass.Writes.NewTrees = build!.Trees;
        }
        else if (store.Trees.Layout != 0 && (!isKept || mustIndex) && (pass.Writes.Count > 0 || mustIndex))
        {
            // What is written now is not in them.
            pass.Writes.NewTrees = new HashTrees();
            return;
        }

        if (isKept || isFinishing)
        {
            foreach (var change in changes)
            {
                pass.Writes.Change(change);
            }
        }
    }

    /// <summary>The store has taken the batch.</summary>
    public void Written()
    {
        if (isFinishing)
        {
            (build, isFinishing) = (null, false);
        }

        foreach (var change in changes)
        {
            build?.Follow(change);
        }
    }

    private async ValueTask ReadSegmentsAsync(VnodeCommand.ReadSegments segments)
    {
        var next = await store.ReadSegmentsAsync(segments.From, HashTree.Segments, context.Options.TreeTurnKeys, segments.Keys, CancellationToken.None);
        (segments.Next, segments.Pending) = (next ?? segments.From, next is null ? new VnodeReply(new PeerReply.Refused(VnodeRefusals.NoSegments)) : VnodeReply.Done);
    }

    private async ValueTask BuildAsync(VnodeCommand.BuildTrees step, VnodePass pass)
    {
        if (pass.Layout?.Id != step.Layout.Id)
        {
            step.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.OtherLayout));
            return;
        }

        if (build is null || step.IsFirst)
        {
            (build, isFinishing) = (new TreeBuild(step.Layout, context.Time.GetUtcNow().ToUnixTimeSeconds(), SizingOf(step.Layout).DepthFor(store.ApproximateCount)), false);
        }

        if (!build.IsWhole)
        {
            keys.Clear();
            if (await store.ReadSegmentsAsync(build.Next, HashTree.Segments, context.Options.TreeTurnKeys, keys, CancellationToken.None) is not { } next)
            {
                build = null;
                step.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.NoSegments));
                return;
            }

            step.Bytes += await ReadEntriesAsync();
            foreach (var entry in entries)
            {
                build.Read(partition, entry);
            }

            step.Bytes += ReapDeleted(step.Layout);

            build.Next = next;
            if (build.IsWhole)
            {
                build.Fold(SizingOf(step.Layout));
            }
        }

        isFinishing = build.IsWhole;
        (step.IsWhole, step.Pending) = (isFinishing, VnodeReply.Done);
    }

    private TreeSizing SizingOf(TreeLayout layout) => new(context.Options, layout.RangesOf(partition).Length);

    /// <summary>
    /// All data goes by a build, so that tombstones are found too that no client reads and whose first reap came to nothing. One of the replicas is enough. Gives what that
    /// counts at the pace of the building.
    /// </summary>
    private int ReapDeleted(TreeLayout layout) =>
        ReapBytes * deleted.Count(key => ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeOf(name)?.First == partition && context.Reap(name));

    /// <summary>A page of whole leaves' entries, or of a part of the first one where that does not fit; whole ones are held against the tree.</summary>
    private async ValueTask ReadAsync(VnodeCommand.ReadTree read, VnodePass pass)
    {
        if (pass.Layout is not { } layout || layout.Id != read.Layout || store.Trees.Layout != read.Layout)
        {
            read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.OtherLayout));
            return;
        }

        var tree = store.Trees.Find(read.Range) ?? new HashTree(read.Depth);
        if (tree.Depth < read.Depth)
        {
            read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.OtherDepth));
            return;
        }

        if (!await FindPageAsync(read, layout))
        {
            read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.NoSegments));
            return;
        }

        await ReadEntriesAsync();
        read.Entries.AddRange(entries);
        mustIndex |= !AreOfTree(read, tree);
        read.Pending = mustIndex ? new VnodeReply(new PeerReply.Refused(VnodeRefusals.DoubtfulTrees)) : VnodeReply.Done;
    }

    /// <summary>The page's keys, into <see cref="keys"/>; false where the store cannot find them.</summary>
    private async ValueTask<bool> FindPageAsync(VnodeCommand.ReadTree read, TreeLayout layout)
    {
        keys.Clear();
        foreach (var leaf in read.Leaves)
        {
            if (!await FindKeysAsync(layout, read, leaf))
            {
                return false;
            }

            var fitting = Fitting(read);
            var isCut = fitting < leafKeys.Count;
            if (isCut && read.Whole > 0)
            {
                break;
            }

            keys.AddRange(leafKeys.Take(fitting));
            read.Bytes += leafKeys.Take(fitting).Sum(TreeEntry.BytesOf);
            if (isCut)
            {
                break;
            }

            read.Whole++;
        }

        return true;
    }

    /// <summary>The range's keys of a leaf, in order, into <see cref="leafKeys"/>; false where the store cannot find them.</summary>
    private async ValueTask<bool> FindKeysAsync(TreeLayout layout, VnodeCommand.ReadTree read, int leaf)
    {
        leafKeys.Clear();
        var segment = leaf >> read.Depth;
        if (await store.ReadSegmentsAsync(segment, segment + 1, int.MaxValue, leafKeys, CancellationToken.None) is null)
        {
            return false;
        }

        var after = read.Whole == 0 ? read.After : default;
        leafKeys.RemoveAll(key => LeafOf(key, read.Depth) != leaf || key.Span.SequenceCompareTo(after.Span) <= 0
            || !ObjectKeyCodec.TryDecode(key, out var name) || layout.RangeAt(partition, name) != read.Range);
        leafKeys.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        return true;
    }

    private static int LeafOf(ReadOnlyMemory<byte> key, int depth) => HashTree.LeafAt(HashTree.PlaceOf(EntryHash.OfKey(key.Span)), depth);

    /// <summary>How many of the leaf's keys the page has room for; one of the first leaf always fits.</summary>
    private int Fitting(VnodeCommand.ReadTree read)
    {
        var (fitting, bytes) = (0, read.Bytes);
        while (fitting < leafKeys.Count && keys.Count + fitting < context.Options.TreeTurnKeys && bytes < context.Options.TreePageBytes)
        {
            bytes += TreeEntry.BytesOf(leafKeys[fitting++]);
        }

        return read.Whole == 0 ? Math.Max(fitting, Math.Min(1, leafKeys.Count)) : fitting;
    }

    /// <summary>Whether each leaf that the page has whole is what the tree says. Entries are in the order of the leaves.</summary>
    private static bool AreOfTree(VnodeCommand.ReadTree read, HashTree tree)
    {
        var at = 0;
        for (var index = 0; index < read.Whole; index++)
        {
            var sum = 0u;
            for (; at < read.Entries.Count && LeafOf(read.Entries[at].Key, read.Depth) == read.Leaves[index]; at++)
            {
                sum ^= HashTree.LeafHash(read.Entries[at].Hash);
            }

            var isPart = index == 0 && !read.After.IsEmpty;
            if (!isPart && sum != tree.HashOf(read.Leaves[index], read.Depth))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// What the keys hold, into <see cref="entries"/> and <see cref="deleted"/>; gives the bytes read. Values are let go as soon as they are hashed: those that there was no memory for beside the
    /// others are read after them.
    /// </summary>
    private async ValueTask<long> ReadEntriesAsync()
    {
        entries.Clear();
        deleted.Clear();
        var bytes = 0L;
        for (var next = 0; next < keys.Count;)
        {
            reads.Clear();
            for (var i = next; i < keys.Count; i++)
            {
                reads.Add(keys[i], context.Backends.Of(keys[i].Span));
            }

            try
            {
                await store.ReadAsync(reads, CancellationToken.None);
                var (taken, takenBytes) = TakeEntries();
                if (taken == 0)
                {
                    throw new StoreRefusedException("There is no memory for a value that is to be hashed.");
                }

                (next, bytes) = (next + taken, bytes + takenBytes);
            }
            finally
            {
                reads.Clear();
            }
        }

        return bytes;
    }

    /// <summary>Up to the first value that was not read.</summary>
    private (int Taken, long Bytes) TakeEntries()
    {
        var bytes = 0L;
        for (var position = 0; position < reads.Count; position++)
        {
            if (reads.IsRefused(position))
            {
                return (position, bytes);
            }

            if (reads.Value(position) is { } value)
            {
                entries.Add(TreeEntry.Of(reads.Key(position), value.Span));
                if (ObjectCodec.IsTombstone(value))
                {
                    deleted.Add(reads.Key(position));
                }

                bytes += reads.Key(position).Length + value.Length;
            }
        }

        return (reads.Count, bytes);
    }
}
