using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Tests;

/// <summary>
/// The short life of a node's storage that comes by every operation on files: two stores, writes of short and long values and removals, upkeep with checkpoints, compaction and trimming of the log, reads and a fold, a
/// drop and a store made anew, a stop, and a second start. What fails on the way has to fail as the ports say, and then nothing may be acknowledged any more.
/// </summary>
/// <param name="files">The disk.</param>
/// <param name="options">See <see cref="Options"/>.</param>
/// <param name="rounds">How much of it: 1 takes a few hundred operations.</param>
internal sealed class StorageScript(IStorageFiles files, StorageOptions options, int rounds)
{
    public const int Partitions = 2;
    private const int Keys = 8;
    private readonly IPartitionStore?[] stores = new IPartitionStore?[Partitions];
    private readonly List<StoreException> failures = [];
    private StorageEngine? engine;
    private int written;

    private enum Outcome
    {
        Done,
        Refused,
        Failed,
    }

    public CrashModel Model { get; } = new();

    /// <summary>What was told to callers, and the engine's own failure, in order.</summary>
    public List<string> Told { get; } = [];

    /// <summary>Called when a life has come to its end and nothing is closed yet, or the start was given up.</summary>
    public Action? BeforeStop { get; init; }

    public long Checkpoints { get; private set; }

    public long Compactions { get; private set; }

    /// <summary>The least sizes there are, so that little data goes everywhere.</summary>
    public static StorageOptions Options(string directory) => TestEngine.Options(directory) with
    {
        PrepareLogAhead = false,
        LogSegmentBytes = 64 * 1024,
        LogCapBytes = 256 * 1024,
        CheckpointLogBytes = 64 * 1024,
        PageBytes = 4096,
        StoreMemoryBytes = 16 * 1024,
        StoreIndexBytes = 4096,
        StoreSegmentBytes = 16 * 1024,
        CompactionMinBytes = 16 * 1024,
        MinFreeBytes = 256 * 1024,
    };

    /// <summary>Runs it to its end, or to where storage has failed. Anything else than the ports promise is thrown.</summary>
    public async Task RunAsync()
    {
        for (var life = 0; life < 2; life++)
        {
            if (!await OpenEngineAsync())
            {
                BeforeStop?.Invoke();
                return;
            }

            Array.Clear(stores);
            try
            {
                await (life == 0 ? GrowAsync() : ShrinkAsync());
            }
            finally
            {
                BeforeStop?.Invoke();
                await engine!.DisposeAsync();
            }

            Checkpoints += engine!.Statistics.Checkpoints;
            Compactions += engine.Statistics.Compactions;
            Assert.True(failures.Count <= 1, "storage failed more than once");
            if (engine.Failure is { } failure)
            {
                Told.Add($"engine: {failure.Message}");
                return;
            }
        }
    }

    /// <summary>Opens storage as a start does and compares all of it with what the model allows.</summary>
    public static async Task CheckAsync(IStorageFiles files, StorageOptions options, CrashModel.View view, string context)
    {
        StorageEngine engine;
        try
        {
            engine = TestEngine.Open(options, files);
        }
        catch (StoreException refused)
        {
            throw new InvalidOperationException($"{context}: refused to start: {refused.Message}", refused);
        }

        await using (engine)
        {
            Assert.True(engine.Damaged.Count == 0, $"{context}: damaged: {string.Join("; ", engine.Damaged.Values)}");
            for (var partition = 0; partition < Partitions; partition++)
            {
                var store = await engine.OpenAsync(new PartitionId(partition), CancellationToken.None);
                var found = new Dictionary<string, byte[]>();
                for (var key = 0; key < Keys; key++)
                {
                    if (await store.GetAsync(KeyOf(key)) is { } value)
                    {
                        found[KeyOf(key)] = value.ToArray();
                    }
                }

                var where = $"{context}, partition {partition}";
                Assert.True(view.Allows(partition, found), $"{where} has {view.Difference(partition, found)}");
                Assert.True(found.Count == store.ApproximateCount, $"{where}: {found.Count} keys, counted as {store.ApproximateCount}");
                Assert.Equal(found.Sum(pair => pair.Key.Length + pair.Value.Length), store.ApproximateBytes);
                Assert.Equal(found.Keys.Select(key => Convert.ToHexString(Bytes.Of(key).Span)).Order(StringComparer.Ordinal), (await store.FoldAllAsync()).Keys);
                if (store.HasSegments)
                {
                    await store.AssertSegmentsAreOfAsync(found.Keys, context: where);
                }
            }
        }
    }

    private static string KeyOf(int key) => $"key-{key}";

    /// <summary>Writes over writes, and upkeep.</summary>
    private async Task GrowAsync()
    {
        for (var round = 0; round < rounds; round++)
        {
            for (var step = 0; step < 12; step++)
            {
                if (!await WriteAsync(partition: step % 7 == 6 ? 1 : 0))
                {
                    return;
                }
            }

            if (await TryAsync(engine!.UpkeepOnceAsync) == Outcome.Failed && engine!.Failure is null)
            {
                // As the engine's own task does: a node does not go on without upkeep.
                return;
            }

            if (!await ReadAsync(0) || !await ReadAsync(1))
            {
                return;
            }
        }
    }

    /// <summary>All of it is there, one store is dropped and made anew.</summary>
    private async Task ShrinkAsync()
    {
        if (await ReadAsync(0) && await WriteAsync(0) && await DropAsync(1))
        {
            await WriteAsync(1);
        }
    }

    /// <summary>False where the disk does not let it start. What failed once is tried again, as a node does that is started again.</summary>
    private async Task<bool> OpenEngineAsync()
    {
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            if (await TryAsync(() =>
            {
                engine = TestEngine.Open(options, files, failures: failures);
                return Task.CompletedTask;
            }) == Outcome.Done)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<IPartitionStore?> StoreAsync(int partition)
    {
        for (var attempt = 1; attempt <= 2 && stores[partition] is null; attempt++)
        {
            await TryAsync(async () => stores[partition] = await engine!.OpenAsync(new PartitionId(partition), CancellationToken.None));
        }

        return stores[partition];
    }

    /// <summary>Several keys at once: some long, some short, now and then a removal. False where storage has failed.</summary>
    private async Task<bool> WriteAsync(int partition)
    {
        if (await StoreAsync(partition) is not { } store)
        {
            return false;
        }

        var changes = new List<(string Key, byte[]? Value)>();
        for (var key = 0; key < 4; key++, written++)
        {
            changes.Add((KeyOf(written * 5 % Keys), written % 9 == 8 ? null : Bytes.Pattern(written % 3 == 0 ? 2500 : 600 + written, written)));
        }

        var batch = new WriteBatch();
        foreach (var (key, value) in changes)
        {
            if (value is null)
            {
                batch.Remove(Bytes.Of(key));
            }
            else
            {
                batch.Put(Bytes.Of(key), value);
            }
        }

        Model.Begin(partition, changes);
        return await EndAsync(await TryAsync(async () => await store.WriteAsync(batch, Durability.Synced, CancellationToken.None)), store);
    }

    private async Task<bool> DropAsync(int partition)
    {
        if (await StoreAsync(partition) is not { } store)
        {
            return false;
        }

        Model.Begin(partition, null, null);
        stores[partition] = null;
        var outcome = await TryAsync(async () => await store.DropAsync(CancellationToken.None));
        if (outcome == Outcome.Refused)
        {
            stores[partition] = store;
        }

        return await EndAsync(outcome, stores[0]!);
    }

    /// <summary>A change that failed ends all: nothing is acknowledged after it, since nobody knows what is on the disk.</summary>
    private async Task<bool> EndAsync(Outcome outcome, IPartitionStore store)
    {
        switch (outcome)
        {
            case Outcome.Done:
                Model.Acknowledge();
                return true;
            case Outcome.Refused:
                Model.Refuse();
                return true;
            default:
                Assert.NotNull(engine!.Failure);
                Assert.Equal(Outcome.Failed, await TryAsync(() => store.PutAsync(KeyOf(0), "after the failure")));
                return false;
        }
    }

    private async Task<bool> ReadAsync(int partition)
    {
        if (await StoreAsync(partition) is not { } store)
        {
            return false;
        }

        var found = new Dictionary<string, byte[]>();
        var outcome = await TryAsync(async () =>
        {
            for (var key = 0; key < Keys; key++)
            {
                if (await store.GetAsync(KeyOf(key)) is { } value)
                {
                    found[KeyOf(key)] = value.ToArray();
                }
            }

            Assert.Equal(found.Count, (await store.FoldAllAsync()).Count);
        });
        Assert.True(outcome == Outcome.Failed ? engine!.Failure is not null : Model.Look().Allows(partition, found), $"partition {partition}: {outcome}, {Model.Look().Difference(partition, found)}");
        return outcome != Outcome.Failed;
    }

    private async Task<Outcome> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return Outcome.Done;
        }
        catch (StoreRefusedException refusal)
        {
            Told.Add($"refused: {refusal.Message}");
            return Outcome.Refused;
        }
        catch (StoreException failure) when (failure is not StoreDamagedException)
        {
            // A disk that fails proves nothing of what is on it: damage would be a wrong verdict, which outlives it.
            Told.Add($"failed: {failure.Message}");
            return Outcome.Failed;
        }
    }
}
