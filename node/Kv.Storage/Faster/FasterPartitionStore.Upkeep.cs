using Kv.Core.Stores;
using Kv.Storage.Ordered;

namespace Kv.Storage.Faster;

/// <summary>What the engine's upkeep does with a store: checkpoints and compaction, when they are due and there is room for them.</summary>
internal sealed partial class FasterPartitionStore
{
    /// <summary>
    /// Bytes that must be free for a checkpoint, and for a slice of compaction: what was written since the last one, the index and the trees, as much again for what is moved and for others at it,
    /// and the keys by segment.
    /// </summary>
    public long RoomForUpkeep
    {
        get
        {
            long uncovered;
            lock (gate)
            {
                uncovered = progress.UncoveredBytes;
            }

            return 2 * (uncovered + log.IndexBytes + Trees.EncodedBytes) + segments.Bytes + host.Options.CompactionMinBytes;
        }
    }

    /// <summary>Whether the disk has that. On one without, checkpoints and compaction wait, and so do writes; a failed one would end the node, and reads with it.</summary>
    public bool HasRoomForUpkeep() => ordered.WhyFull is null && host.HasRoomFor(RoomForUpkeep);

    public bool IsCheckpointDue()
    {
        lock (gate)
        {
            return isMoved || (!progress.IsCovered
                && (progress.UncoveredBytes >= host.Options.CheckpointLogBytes
                    || host.Time.GetElapsedTime(progress.UncoveredSince) >= TimeSpan.FromSeconds(host.Options.CheckpointIntervalSeconds)));
        }
    }

    /// <summary>Takes a checkpoint of everything applied by now, if there is anything new.</summary>
    public Task CheckpointAsync() => CheckpointAsync(isClosing: false);

    /// <summary>Moves live records away from the log's beginning where too much of it is dead; true where it did.</summary>
    public async Task<bool> CompactIfDueAsync()
    {
        if (!uses.TryEnter())
        {
            return false;
        }

        await maintenance.WaitAsync();
        try
        {
            if (!IsCompactionDue())
            {
                return false;
            }

            var slice = Math.Max(4L * log.PageBytes, host.Options.CompactionMinBytes);
            var until = Math.Min(log.BeginAddress + slice, log.TailAddress);
            until = folds.LowestCursor(until);
            if (until / log.PageBytes * log.PageBytes <= log.BeginAddress)
            {
                return false;
            }

            return await Task.Run(() => CompactAsync(until));
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw host.Fail($"The store in {Directory} could not be compacted", error);
        }
        finally
        {
            maintenance.Release();
            uses.Exit();
        }
    }

    private async Task<bool> CompactAsync(long until)
    {
        using var session = log.NewSession();
        if (!await new StoreCompaction(host, log, session, moving, gate).RunAsync(until))
        {
            return false;
        }

        lock (gate)
        {
            isMoved = true;
        }

        host.Checkpointed(isCompaction: true);
        return true;
    }

    private async Task CheckpointAsync(bool isClosing)
    {
        if (!isClosing && !uses.TryEnter())
        {
            return;
        }

        await maintenance.WaitAsync();
        try
        {
            long covered;
            (long Keys, long Bytes) hashedThen, orderedThen;
            byte[] treesThen;
            lock (gate)
            {
                host.ThrowIfFailed();
                if (progress.IsCovered && !isMoved)
                {
                    return;
                }

                (covered, hashedThen, orderedThen, treesThen) = (progress.AppliedLsn, writer.Hashed.Both, writer.Ordered.Both, writer.Trees.Encode());
                progress.BeginCheckpoint();
                segments.BeginCheckpoint();
                isMoved = false;
            }

            // A checkpoint must not hold what the log could lose: its sequence number would be given again to another write.
            await host.Log.WhenDurable(covered);

            // First, since the disk may have no room for it.
            OrderedPart? orderedPart = ordered.Flush(covered) is { } sequence ? new OrderedPart(sequence, orderedThen.Keys, orderedThen.Bytes) : null;
            log.GrowIndexFor(hashedThen.Keys, Math.Max(host.Options.StoreIndexBytes, host.Options.StoreMemoryBytes / 4));
            var (token, begin, removable) = await log.CheckpointAsync();
            host.ThrowIfFailed();
            long held;
            lock (gate)
            {
                held = progress.AppliedLsn;
            }

            // It also holds what was written between the look above and its own begin: that has to be in the log before it counts.
            await host.Log.WhenDurable(held);
            segments.Write(covered);
            new StoreCheckpoint(Identity, covered, hashedThen.Keys, hashedThen.Bytes, log.PageBytes, log.SegmentBytes, begin, token, token, orderedPart).Write(host.Files, Directory, treesThen);
            log.DeleteOutdated(token, removable);
            segments.DeleteOthers(covered);
            lock (gate)
            {
                progress.EndCheckpoint(covered);
            }

            host.Checkpointed(isCompaction: false);
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (OrderedFullException full)
        {
            // Put off: the next one takes what this one would have.
            segments.PutOffCheckpoint();
            lock (gate)
            {
                isMoved = true;
            }

            if (isClosing)
            {
                throw new StoreException(full.Message, full);
            }
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw host.Fail($"The store in {Directory} could not take a checkpoint", error);
        }
        finally
        {
            maintenance.Release();
            if (!isClosing)
            {
                uses.Exit();
            }
        }
    }

    /// <summary>Of FASTER's log: what is ordered lies elsewhere, and RocksDB compacts that by itself.</summary>
    private bool IsCompactionDue()
    {
        const int recordOverhead = 48;
        var live = writer.Hashed.Bytes + (writer.Hashed.Keys * recordOverhead);
        return log.Bytes > Math.Max(host.Options.CompactionMinBytes, live * host.Options.CompactionFactor);
    }
}
