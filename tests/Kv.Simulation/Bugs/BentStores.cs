using System.Runtime.CompilerServices;
using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Simulation.Bugs;

/// <summary>Mistakes of an engine.</summary>
internal static class BentStores
{
    public static bool IsTombstone(ReadOnlyMemory<byte>? value) =>
        value is { } stored && ObjectCodec.TryDecode(stored, out var held, out _) && held.IsTombstone;

    public sealed class WithoutFsync(IPartitionStore real) : BentStore(real)
    {
        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) => Real.WriteAsync(batch, Durability.Memory, cancel);
    }

    public sealed class SilentWhenFull(IPartitionStore real) : BentStore(real)
    {
        public override async ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
        {
            try
            {
                await Real.WriteAsync(batch, durability, cancel);
            }
            catch (StoreRefusedException)
            {
                // "It will be written again."
            }
        }
    }

    public sealed class FoldWithoutLast(IPartitionStore real) : BentStore(real)
    {
        public override async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            StoredEntry? before = null;
            await foreach (var entry in Real.FoldAsync(cancel))
            {
                if (before is { } complete)
                {
                    yield return complete;
                }

                before = entry;
            }
        }
    }

    public sealed class FoldWithoutTombstones(IPartitionStore real) : BentStore(real)
    {
        public override async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            await foreach (var entry in Real.FoldAsync(cancel))
            {
                if (!IsTombstone(entry.Value))
                {
                    yield return entry;
                }
            }
        }
    }

    public sealed class BlindNowAndThen(IPartitionStore real) : BentStore(real)
    {
        private int reads;

        public override async ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
        {
            await Real.ReadAsync(batch, cancel);
            for (var place = 0; place < batch.Count; place++)
            {
                if (++reads % 20 == 0)
                {
                    batch.SetValue(place, null);
                }
            }
        }
    }

    public sealed class WithoutLastOfBatch(IPartitionStore real) : BentStore(real)
    {
        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) =>
            Real.WriteAsync(Bent(batch, (place, entry) => place > 0 && place == batch.Count - 1 ? null : entry), durability, cancel);
    }

    public sealed class WithoutTombstones(IPartitionStore real) : BentStore(real)
    {
        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) =>
            Real.WriteAsync(Bent(batch, (_, entry) => IsTombstone(entry.Value) ? entry with { Value = null } : entry), durability, cancel);
    }

    public sealed class WithoutTreeChange(IPartitionStore real) : BentStore(real)
    {
        private int writes;

        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) =>
            Real.WriteAsync(++writes % 3 == 0 ? Untreed(batch) : batch, durability, cancel);

        private static WriteBatch Untreed(WriteBatch batch)
        {
            var bent = new WriteBatch { NewTrees = batch.NewTrees };
            foreach (var entry in batch.Entries)
            {
                bent.Add(entry);
            }

            foreach (var change in batch.IndexChanges)
            {
                bent.Change(change);
            }

            return bent;
        }
    }

    public sealed class WithTreesOfYesterday(IPartitionStore real) : BentStore(real)
    {
        private TreeChange? last;

        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
        {
            if (batch.NewTrees is { } built && last is { } missed)
            {
                built.Apply(missed);
            }

            last = batch.TreeChanges is [.., var newest] ? newest : last;
            return Real.WriteAsync(batch, durability, cancel);
        }
    }

    public sealed class WithoutIndexRemovals(IPartitionStore real) : BentStore(real)
    {
        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) =>
            Real.WriteAsync(WithIndexChanges(batch, change => change.IsAdded), durability, cancel);
    }

    public sealed class WithoutSomeIndexEntries(IPartitionStore real) : BentStore(real)
    {
        private int changes;

        public override ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel) =>
            Real.WriteAsync(WithIndexChanges(batch, _ => ++changes % 10 != 0), durability, cancel);
    }

    /// <summary>What was in memory alone is gone at a clean stop, and the vnode goes on as the actor that it was.</summary>
    public sealed class WithoutForgetting(IPartitionStore real) : BentStore(real)
    {
        public override bool WillForget => false;
    }

    public sealed class ForgetfulDrop(IPartitionStore real) : BentStore(real)
    {
        public override ValueTask DropAsync(CancellationToken cancel) => Real.DisposeAsync();
    }
}
