using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>
/// Sorts the log's records by store at start, against what the stores' checkpoints cover. What cannot be (records of a store that is not there, a store whose checkpoint is older than one that
/// the log was cut by, a checkpoint that cannot be read) makes its partition a damaged one.
/// </summary>
internal sealed class RecoveredStores(Dictionary<StoreIdentity, PendingReplay> found, Dictionary<StoreIdentity, string> broken, DamagedPartitions damaged)
{
    private readonly Dictionary<int, long> drops = [];
    private readonly Dictionary<StoreIdentity, long> unknown = [];

    /// <summary>After <see cref="Resolve"/>: the stores to keep, by partition.</summary>
    public Dictionary<int, PendingReplay> Kept { get; } = [];

    /// <summary>After <see cref="Resolve"/>: of damaged partitions, the first sequence number of the log that is not in a checkpoint of theirs.</summary>
    public Dictionary<int, long> DamagedFrom { get; } = [];

    /// <summary>The highest sequence number that a store here shows to have been on disk: it is in a checkpoint, or comes before a birth.</summary>
    public long CoveredLsn { get; } = found.Values.Select(store => store.CoveredLsn).DefaultIfEmpty(0).Max();

    /// <summary>Takes the log's next record.</summary>
    public void Add(LogRecord record, LogLocation location)
    {
        if (record.Kind == LogRecordKind.Drop)
        {
            drops[record.Store.Partition] = record.Lsn;
        }
        else if (!found.TryGetValue(record.Store, out var store))
        {
            unknown.TryAdd(record.Store, record.Lsn);
        }
        else if (record.Lsn > store.CoveredLsn)
        {
            store.Add(location, record);
        }
    }

    /// <summary>Sorts what was found; stores to delete, because they were dropped or hold nothing, go into <paramref name="outdated"/>.</summary>
    public void Resolve(WriteAheadLog log, ICollection<StoreIdentity> outdated)
    {
        ForgetDiscarded();
        foreach (var (store, reason) in broken.Concat(Missing(log)).Where(store => !IsDropped(store.Key)))
        {
            damaged.Add(new PartitionId(store.Partition), reason, log.NextLsn);
        }

        broken.Keys.Where(IsDropped).ToList().ForEach(outdated.Add);
        foreach (var (store, lsn) in unknown.Where(store => !IsDropped(store.Key)))
        {
            KeepDamaged(store, lsn);
        }

        foreach (var store in found.Values.OrderBy(store => store.Store.Birth))
        {
            var isEmpty = store.CoveredLsn < store.Store.Birth && store.Records.Count == 0;
            if (IsDropped(store.Store) || isEmpty)
            {
                outdated.Add(store.Store);
            }
            else if (damaged.Found.ContainsKey(new PartitionId(store.Store.Partition)))
            {
                // It stays where it is until it is given up.
                if (store.Records is [var first, ..])
                {
                    KeepDamaged(store.Store, first.Lsn);
                }
            }
            else if (!Kept.TryAdd(store.Store.Partition, store))
            {
                throw new StoreException($"Partition {store.Store.Partition} has two stores: {Kept[store.Store.Partition].Directory} and {store.Directory}.");
            }
        }
    }

    private void KeepDamaged(StoreIdentity store, long lsn) => DamagedFrom[store.Partition] = Math.Min(lsn, DamagedFrom.GetValueOrDefault(store.Partition, long.MaxValue));

    /// <summary>A crash came between the drop of what was given up and the end of its mark.</summary>
    private void ForgetDiscarded()
    {
        foreach (var (partition, damage) in damaged.Found)
        {
            if (drops.TryGetValue(partition.Number, out var lsn) && lsn >= damage.Lsn)
            {
                damaged.Remove(partition);
            }
        }
    }

    /// <summary>Stores that the log knows and that are not there, or not as new as it knows them.</summary>
    private IEnumerable<KeyValuePair<StoreIdentity, string>> Missing(WriteAheadLog log)
    {
        foreach (var (store, lsn) in unknown.Where(store => !broken.ContainsKey(store.Key)))
        {
            yield return new(store, $"The log has records of partition {store.Partition} (sequence number {lsn} on), but the store's directory is missing.");
        }

        foreach (var ((partition, birth), covered) in log.RecoveredStores)
        {
            var store = new StoreIdentity(partition, birth);
            if (covered >= birth && !broken.ContainsKey(store) && (!found.TryGetValue(store, out var there) || there.CoveredLsn < covered))
            {
                var what = found.TryGetValue(store, out var older) ? $"a checkpoint that covers {older.CoveredLsn}" : "no directory";
                yield return new(
                    store,
                    $"The store of partition {partition} is missing data: expected a checkpoint that covers sequence number {covered}, which the log was cut by, found {what}.");
            }
        }
    }

    private bool IsDropped(StoreIdentity store) => drops.TryGetValue(store.Partition, out var lsn) && store.Birth <= lsn;
}
