using Kv.Core.Stores;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>
/// What the RocksDBs of a node's stores share: one bound on the memory of their caches and memtables, and their options. Made with the first of them. RocksDB keeps no log of its own
/// here: ours has every write (see the note on storage). Safe from any thread.
/// </summary>
internal sealed class OrderedEngine : IDisposable
{
    /// <summary>Bytes of a memtable, from which it is written out; the bound on all together may come first.</summary>
    private const ulong MemtableBytes = 8 * 1024 * 1024;

    /// <summary>Files that one RocksDB has open: 64 stores stay far below a process's usual bound.</summary>
    private const int MaxOpenFiles = 64;

    private const int FilesToMerge = 4;

    /// <summary>Files that are not merged yet, from which on RocksDB takes nothing. It slows nobody down before: what waits has a bound of its own.</summary>
    private const int MostUnmergedFiles = 36;

    // Guards the options, which say whether one may be made.
    private readonly Lock gate = new();
    private readonly Cache cache;
    private readonly IntPtr memtables;
    private readonly DbOptions options;

    /// <param name="bytes">Of blocks and memtables together; memtables take at most half.</param>
    public OrderedEngine(long bytes)
    {
        cache = Cache.CreateLru((ulong)bytes);
        memtables = Native.Instance.rocksdb_write_buffer_manager_create_with_cache((nuint)(bytes / 2), cache.Handle, 0);
        var tables = new BlockBasedTableOptions()
            .SetBlockCache(cache)
            .SetBlockSize(16 * 1024)
            .SetFilterPolicy(BloomFilterPolicy.Create(10, use_block_based_builder: false))
            .SetCacheIndexAndFilterBlocks(true)
            .SetPinL0FilterAndIndexBlocksInCache(true);
        options = new DbOptions()
            .SetWriteBufferSize(MemtableBytes)
            .SetMaxWriteBufferNumber(3)
            .SetMaxOpenFiles(MaxOpenFiles)
            .SetMaxLogFileSize(1024 * 1024)
            .SetKeepLogFileNum(2)
            .SetInfoLogLevel(InfoLogLevel.Warn)
            .SetStatsDumpPeriodSec(0)
            .SetCompression(Compression.Lz4)
            .SetLevelCompactionDynamicLevelBytes(true)
            .SetLevel0FileNumCompactionTrigger(FilesToMerge)
            .SetLevel0SlowdownWritesTrigger(MostUnmergedFiles)
            .SetLevel0StopWritesTrigger(MostUnmergedFiles)
            .SetSoftPendingCompactionBytesLimit(0)
            .SetBlockBasedTableFactory(tables);
        Native.Instance.rocksdb_options_set_write_buffer_manager(options.Handle, memtables);

        // What a memtable holds at the end is in our log.
        Native.Instance.rocksdb_options_set_avoid_flush_during_shutdown(options.Handle, 1);
    }

    /// <summary>Opens the RocksDB of a directory, for which it writes files of its own there.</summary>
    /// <exception cref="StoreDamagedException">It is damaged, or gone where it <paramref name="mustExist"/>.</exception>
    /// <exception cref="OrderedFullException">There is no room for them.</exception>
    /// <exception cref="IOException">It cannot be opened now.</exception>
    public RocksDb Open(string directory, bool mustExist) => Open(directory, mustExist, () => RocksDb.Open(options, directory));

    /// <summary>Opens the RocksDB of a directory for reading alone: it writes nothing.</summary>
    /// <exception cref="StoreDamagedException">It is damaged or gone.</exception>
    /// <exception cref="IOException">It cannot be opened now.</exception>
    public RocksDb OpenToRead(string directory) => Open(directory, mustExist: true, () => RocksDb.OpenReadOnly(options, directory, errorIfLogFileExists: false));

    public void Dispose()
    {
        Native.Instance.rocksdb_write_buffer_manager_destroy(memtables);
        GC.KeepAlive(cache);
    }

    private RocksDb Open(string directory, bool mustExist, Func<RocksDb> open)
    {
        lock (gate)
        {
            options.SetCreateIfMissing(!mustExist);
            try
            {
                return open();
            }
            catch (RocksDbException error)
            {
                throw OrderedErrors.Of(error, directory);
            }
        }
    }
}
