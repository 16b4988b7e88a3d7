using System.Globalization;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;
using Kv.TestKit;

namespace Kv.Storage.Tests;

/// <summary>The whole engine on the disk that crashes: log, stores, checkpoints, compaction, trimming and drops. Each operation is met by the end of the process or of the machine, by the other with the next <see cref="SampleShift"/>.</summary>
public sealed class EngineCrashTests
{
    private const int Partitions = 3;
    private const int Keys = 25;

    /// <summary>Rounds of the short script; with more than one, each operation of each recovery is crashed in too, and not one of each.</summary>
    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("KV_FAULT_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Crash_AtEachOperation_OfAShortLife_AndInItsRecovery(bool preparesLogAhead)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(SampleShift.Told);
        var options = StorageScript.Options("/data/node") with { PrepareLogAhead = preparesLogAhead };
        var disk = FaultyFiles.WithDirectory("/data");
        var script = new StorageScript(disk, options, Rounds);
        var crashes = new List<(DiskImage Image, CrashModel.View View, FileOperation At)>();
        disk.Before = operation => crashes.Add((disk.Capture(), script.Model.Look(), operation));
        await script.RunAsync();
        Assert.Empty(script.Told);
        Assert.Contains(crashes, crash => crash.At is { What: "create", Path: "/data/node/log/" + LogSegment.ReadyName });
        await Parallel.ForEachAsync(Enumerable.Range(0, crashes.Count), TestContext.Current.CancellationToken, async (index, _) =>
        {
            var (image, view, at) = crashes[index];
            var pick = index + SampleShift.Value;
            var isCrash = pick % 2 == 0;
            var context = $"{(isCrash ? "crash" : "end of the process")} before {at}";
            var recovering = new List<(DiskImage Image, FileOperation At)>();
            var recovered = isCrash ? image.Settle(index) : image.Keep();
            recovered.Before = operation => recovering.Add((recovered.Capture(), operation));
            await StorageScript.CheckAsync(recovered, options, view, context);
            recovered.Before = null;
            if (Rounds > 1 || pick / 2 % 2 == 0)
            {
                await StorageScript.CheckAsync(recovered, options, view, $"{context}, second start");
            }

            foreach (var (again, then) in Rounds > 1 ? recovering : [recovering[pick % recovering.Count]])
            {
                await StorageScript.CheckAsync(again.Settle(index), options, view, $"{context}, and its recovery before {then}");
            }
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Crash_AtSomeOperations_OfALongerLife_KeepsEveryAcknowledgedWrite(int seed)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(SampleShift.Told);
        var disk = FaultyFiles.WithDirectory("/data");
        var model = new CrashModel();
        var random = new Random(seed);
        var picks = new Random(seed + 100);
        var crashes = new List<(DiskImage Image, CrashModel.View View, FileOperation At)>();
        disk.Before = operation =>
        {
            if (picks.Next(25) == 0)
            {
                crashes.Add((disk.Capture(), model.Look(), operation));
            }
        };
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            var stores = new IPartitionStore[Partitions];
            for (var partition = 0; partition < Partitions; partition++)
            {
                stores[partition] = await engine.OpenAsync(new PartitionId(partition), CancellationToken.None);
            }

            for (var step = 0; step < 400; step++)
            {
                await StepAsync(engine, stores, model, random, step);
            }
        }

        Assert.True(crashes.Count > 40, $"only {crashes.Count} crashes");
        for (var index = 0; index < crashes.Count; index++)
        {
            var (image, view, at) = crashes[index];
            await CheckAsync(image.Settle(seed + index), view, $"seed {seed}, crash {index} before {at}");
            if (SampleShift.Takes(index, 4))
            {
                await CrashInRecoveryAsync(image.Settle(seed + index), view, picks, $"seed {seed}, crash {index} before {at}");
            }
        }
    }

    private static StorageOptions Options() => TestEngine.Options("/data/node") with
    {
        PrepareLogAhead = false,
        LogSegmentBytes = 64 * 1024,
        LogCapBytes = 512 * 1024,
        CheckpointLogBytes = 64 * 1024,
        CompactionMinBytes = 64 * 1024,
        StoreSegmentBytes = 32 * 1024,
    };

    private static async Task StepAsync(StorageEngine engine, IPartitionStore[] stores, CrashModel model, Random random, int step)
    {
        var partition = random.Next(Partitions);
        if (step % 50 == 49)
        {
            await engine.UpkeepOnceAsync();
        }
        else if (step % 130 == 129)
        {
            model.Begin(partition, null, null);
            await stores[partition].DropAsync(CancellationToken.None);
            model.Acknowledge();
            stores[partition] = await engine.OpenAsync(new PartitionId(partition), CancellationToken.None);
        }
        else if (step % 40 == 39)
        {
            await stores[partition].RebuildTreeAsync(Enumerable.Range(0, Keys).Select(key => $"key-{key}"), depth: random.Next(HashTree.MaxDepth + 1));
        }
        else
        {
            var key = $"key-{random.Next(Keys)}";
            var value = random.Next(6) == 0 ? null : Bytes.Pattern(random.Next(20) == 0 ? random.Next(30_000) : random.Next(1500), random.Next());
            model.Begin(partition, key, value);
            await stores[partition].PutTrackedAsync(key, value is null ? default(ReadOnlyMemory<byte>?) : value);
            model.Acknowledge();
        }
    }

    /// <summary>A start that crashes too: what recovery writes over what is covered must not look like damage.</summary>
    private static async Task CrashInRecoveryAsync(FaultyFiles disk, CrashModel.View view, Random picks, string context)
    {
        var crashes = new List<(DiskImage Image, FileOperation At)>();
        disk.Before = operation =>
        {
            if (crashes.Count < 3 && picks.Next(15) == 0)
            {
                crashes.Add((disk.Capture(), operation));
            }
        };
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                await engine.OpenAsync(new PartitionId(partition), CancellationToken.None);
            }
        }

        foreach (var (image, at) in crashes)
        {
            await CheckAsync(image.Settle(picks.Next()), view, $"{context}, and its recovery before {at}");
        }
    }

    private static async Task CheckAsync(FaultyFiles disk, CrashModel.View view, string context)
    {
        // One restart after the crash, and another after that: what recovery cut or replayed must be there again.
        for (var start = 1; start <= 2; start++)
        {
            StorageEngine engine;
            try
            {
                engine = TestEngine.Open(Options(), disk);
            }
            catch (StoreException refused)
            {
                throw new InvalidOperationException($"{context}: refused to start: {refused.Message}", refused);
            }

            await using (engine)
            {
                for (var partition = 0; partition < Partitions; partition++)
                {
                    var store = await engine.OpenAsync(new PartitionId(partition), CancellationToken.None);
                    var found = new Dictionary<string, byte[]>();
                    for (var key = 0; key < Keys; key++)
                    {
                        if (await store.GetAsync($"key-{key}") is { } value)
                        {
                            found[$"key-{key}"] = value.ToArray();
                        }
                    }

                    Assert.True(view.Allows(partition, found), $"{context}, start {start}: partition {partition} has {view.Difference(partition, found)}");
                    Assert.Equal(found.Count, store.ApproximateCount);
                    store.AssertTreeIsOf(found, $"{context}, start {start}, partition {partition}");
                    await store.AssertSegmentsAreOfAsync(found.Keys, context: $"{context}, start {start}, partition {partition}");
                    Assert.Equal(found.Sum(pair => pair.Key.Length + pair.Value.Length), store.ApproximateBytes);
                }
            }
        }
    }
}
