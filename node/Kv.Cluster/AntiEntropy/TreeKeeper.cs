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

    /// <summary>Reads what a command about trees needs, before the turn's other commands change it. Where the store refuses that, the command alone is refused.</summary>
    public async ValueTask PrepareAsync(VnodeCommand command, VnodePass pass)
    {
        try
        {
            switch (command)
            {
                case VnodeCommand.BuildTrees step:
                    await BuildAsync(step, pass);
                    break;
                case VnodeCommand.ReadTree read:
                    await ReadAsync(read, pass);
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
        var isKnown = (isKept || build is not null) && pass.TryCollectTreeChanges(partition, layout!, changes);
        if (isFinishing)
        {
            pass.Writes.NewTrees = build!.Trees;
        }
        else if (store.Trees.Layout != 0 && (!isKept || !isKnown || mustIndex) && (pass.Writes.Count > 0 || mustIndex))
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

    private async ValueTask BuildAsync(VnodeCommand.BuildTrees step, VnodePass pass)
    {
        if (pass.Layout?.Id != step.Layout.Id)
        {
            step.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.OtherLayout));
            return;
        }

        if (build is null || step.IsFirst)
        {
            (build, isFinishing) = (new TreeBuild(step.Layout, context.Time.GetUtcNow().ToUnixTimeSeconds()), false);
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
        }

        isFinishing = build.IsWhole;
        (step.IsWhole, step.Pending) = (isFinishing, VnodeReply.Done);
    }

    /// <summary>
    /// All data goes by a build, so that tombstones are found too that no client reads and whose first reap came to nothing. One of the replicas is enough. Gives what that
    /// counts at the pace of the building.
    /// </summary>
    private int ReapDeleted(TreeLayout layout) =>
        ReapBytes * deleted.Count(key => ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeOf(name)?.First == partition && context.Reap(name));

    /// <summary>A page of whole segments' entries, or of a part of the first one where that does not fit; whole ones are held against the tree.</summary>
    private async ValueTask ReadAsync(VnodeCommand.ReadTree read, VnodePass pass)
    {
        read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.OtherLayout));
        if (pass.Layout is not { } layout || layout.Id != read.Layout || store.Trees.Layout != read.Layout)
        {
            return;
        }

        foreach (var segment in read.Segments)
        {
            var after = read.Whole == 0 ? read.After : default;
            if (!await FindKeysAsync(layout, read.Range, segment, after))
            {
                read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.NoSegments));
                return;
            }

            var fitting = Fitting(read);
            var isCut = fitting < keys.Count;
            if (isCut && read.Whole > 0)
            {
                break;
            }

            keys.RemoveRange(fitting, keys.Count - fitting);
            var sum = await AddEntriesAsync(read);
            if (isCut)
            {
                break;
            }

            if (after.IsEmpty && sum != (store.Trees.Find(read.Range)?.SegmentHash(segment) ?? 0))
            {
                mustIndex = true;
                read.Pending = new VnodeReply(new PeerReply.Refused(VnodeRefusals.DoubtfulTrees));
                return;
            }

            read.Whole++;
        }

        read.Pending = VnodeReply.Done;
    }

    /// <summary>The range's keys of a segment, in order; false where the store cannot find them.</summary>
    private async ValueTask<bool> FindKeysAsync(TreeLayout layout, TreeRange range, int segment, ReadOnlyMemory<byte> after)
    {
        keys.Clear();
        if (await store.ReadSegmentsAsync(segment, segment + 1, int.MaxValue, keys, CancellationToken.None) is null)
        {
            return false;
        }

        keys.RemoveAll(key => key.Span.SequenceCompareTo(after.Span) <= 0 || !ObjectKeyCodec.TryDecode(key, out var name) || layout.RangeAt(partition, name) != range);
        keys.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        return true;
    }

    /// <summary>How many of the keys the page has room for; one of the first segment always fits.</summary>
    private int Fitting(VnodeCommand.ReadTree read)
    {
        var (fitting, bytes) = (0, read.Bytes);
        while (fitting < keys.Count && read.Entries.Count + fitting < context.Options.TreeTurnKeys && bytes < context.Options.TreePageBytes)
        {
            bytes += TreeEntry.BytesOf(keys[fitting++]);
        }

        return read.Whole == 0 ? Math.Max(fitting, Math.Min(1, keys.Count)) : fitting;
    }

    /// <summary>Adds the keys with the hashes of what they hold, and gives the sum of these as a segment has it.</summary>
    private async ValueTask<uint> AddEntriesAsync(VnodeCommand.ReadTree read)
    {
        await ReadEntriesAsync();
        var sum = 0u;
        foreach (var entry in entries)
        {
            sum ^= HashTree.LeafHash(entry.Hash);
            read.Entries.Add(entry);
            read.Bytes += TreeEntry.BytesOf(entry.Key);
        }

        return sum;
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
                reads.Add(keys[i]);
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
