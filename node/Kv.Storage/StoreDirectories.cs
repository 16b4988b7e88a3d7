using System.Globalization;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>The directories of the stores: one for each life of a partition, named by both.</summary>
internal sealed class StoreDirectories(IStorageFiles files, string root)
{
    /// <summary>Makes it where it is missing. Its names are on disk from here on: an earlier process may have died between a change and its sync, and what follows relies on what is seen.</summary>
    public void CreateRoot()
    {
        files.CreateDirectory(root);
        files.SyncDirectory(Path.GetDirectoryName(root)!);
        files.SyncDirectory(root);
    }

    public string PathOf(StoreIdentity store) =>
        Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"p{store.Partition:D5}-{store.Birth:D20}"));

    public void Create(StoreIdentity store)
    {
        files.CreateDirectory(PathOf(store));
        files.SyncDirectory(root);
    }

    public void Delete(StoreIdentity store)
    {
        files.DeleteDirectory(PathOf(store));
        files.SyncDirectory(root);
    }

    /// <summary>Deletes whatever the partition has here that was born before its drop, which has this sequence number.</summary>
    public void DeleteAll(int partition, long drop)
    {
        foreach (var name in files.List(root))
        {
            if (TryParse(name, out var store) && store.Partition == partition && store.Birth <= drop)
            {
                Delete(store);
            }
        }
    }

    /// <summary>The stores that are there, with what their checkpoints cover; those whose checkpoint is damaged go into <paramref name="broken"/>, with the reason.</summary>
    public Dictionary<StoreIdentity, PendingReplay> Load(IDictionary<StoreIdentity, string> broken)
    {
        var stores = new Dictionary<StoreIdentity, PendingReplay>();
        foreach (var name in files.List(root))
        {
            if (TryParse(name, out var store))
            {
                var directory = PathOf(store);
                files.Delete(Path.Combine(directory, StoreCheckpoint.FileName + SealedFile.TemporarySuffix));

                // As for the names of the stores: what the checkpoint that is seen supersedes is deleted, and the log trimmed, so it must not give way to an older one.
                files.SyncDirectory(directory);
                try
                {
                    var covered = StoreCheckpoint.Read(files, directory, store)?.CoveredLsn ?? store.Birth - 1;
                    stores.Add(store, new PendingReplay(store, directory, covered));
                }
                catch (StoreDamagedException damage)
                {
                    broken.Add(store, damage.Message);
                }
            }
        }

        return stores;
    }

    private static bool TryParse(string name, out StoreIdentity store)
    {
        store = default;
        if (name.Length != 27 || name[0] != 'p' || name[6] != '-'
            || !int.TryParse(name.AsSpan(1, 5), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            || !long.TryParse(name.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out var birth))
        {
            return false;
        }

        store = new StoreIdentity(partition, birth);
        return true;
    }
}
