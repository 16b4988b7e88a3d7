namespace Kv.Storage.Faster;

/// <summary>The folds that are under way on a store, each with its reader; their cursors bound compaction.</summary>
internal sealed class StoreFolds(UseCounter uses)
{
    // Guards the list: folds run on their consumers' threads.
    private readonly Lock gate = new();
    private readonly List<StoreFold> folds = [];

    public void Add(StoreFold fold)
    {
        lock (gate)
        {
            folds.Add(fold);
        }
    }

    /// <summary>Forgets a fold and frees its reader: with its session, or without where the store has closed, and the session with it.</summary>
    public void Remove(StoreFold fold, StoreReader reader)
    {
        lock (gate)
        {
            folds.Remove(fold);
        }

        if (uses.TryEnter())
        {
            reader.Dispose();
            uses.Exit();
        }
        else
        {
            reader.FreeBuffers();
        }
    }

    /// <summary>The lowest address that a fold has yet to see, or <paramref name="otherwise"/> where that is lower.</summary>
    public long LowestCursor(long otherwise)
    {
        lock (gate)
        {
            return folds.Count == 0 ? otherwise : Math.Min(otherwise, folds.Min(fold => fold.Cursor));
        }
    }
}
