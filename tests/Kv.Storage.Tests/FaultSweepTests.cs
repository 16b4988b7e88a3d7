using System.Collections.Concurrent;
using System.Globalization;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;
using Kv.TestKit;

namespace Kv.Storage.Tests;

/// <summary>
/// Each file operation of <see cref="StorageScript"/> fails once, one at a time: it does nothing and says so, the disk stays broken from it on, a write comes to the file in part, a read or a look fails. Whatever it is,
/// callers are told as the ports say or notice nothing; nobody waits for ever; and with the disk well again a start finds all that was acknowledged and nothing else, with and without a crash on top: one of three
/// crashes for each fault, another with each <see cref="SampleShift"/>.
/// </summary>
public sealed class FaultSweepTests
{
    private const string Directory = "/data/node";
    private static readonly TimeSpan Hung = TimeSpan.FromMinutes(1);
    private static readonly StorageOptions Options = StorageScript.Options(Directory);

    /// <summary>How many rounds of the script; a larger sweep has more.</summary>
    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("KV_FAULT_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public async Task WithoutAFault_TheScriptComesByEverything()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var done = new HashSet<string>();
        disk.Before = operation => done.Add($"{operation.What} {Path.GetRelativePath(Directory, operation.Path).Split('/', '.')[0]}");
        var script = new StorageScript(disk, Options, Rounds);
        await script.RunAsync();
        Assert.Empty(script.Told);
        Assert.True(script.Checkpoints >= 4 && script.Compactions >= 1, $"{script.Checkpoints} checkpoints, {script.Compactions} compactions");
        Assert.Superset(new HashSet<string>(["write log", "sync log", "rename log", "delete log", "sync directory log", "write stores", "sync stores", "rename stores", "delete stores", "rmdir stores", "mkdir stores"]), done);
    }

    [Fact]
    public Task AnyChangeOfTheDisk_Fails() => SweepAsync(static count => count.Changes, DiskFault.Fail);

    [Fact]
    public Task TheDisk_BreaksAtAnyChange() => SweepAsync(static count => count.Changes, DiskFault.FailFrom);

    [Fact]
    public Task AnyWrite_IsCutShort() => SweepAsync(static count => count.Writes, static write => DiskFault.Short(write, SampleShift.Takes((int)write, 2) ? 700 : 5));

    [Fact]
    public Task AnyLookAtTheDisk_Fails() => SweepAsync(static count => count.Looks, DiskFault.FailLook);

    /// <summary>A partition that is damaged is noted, given up, and made anew.</summary>
    [Fact]
    public async Task WhileADamagedPartitionIsGivenUp_AnyOperationFails()
    {
        var count = DiskFault.None();
        await GiveUpAsync(count, 0);
        await EachAsync(count.Changes, at => GiveUpAsync(DiskFault.Fail(at), at));
        await EachAsync(count.Changes, at => GiveUpAsync(DiskFault.FailFrom(at), at));
        await EachAsync(count.Writes, at => GiveUpAsync(DiskFault.Short(at, 5), at));
        await EachAsync(count.Looks, at => GiveUpAsync(DiskFault.FailLook(at), at));
    }

    private static async Task SweepAsync(Func<DiskFault, long> countOf, Func<long, DiskFault> faultAt)
    {
        var count = DiskFault.None();
        var counted = FaultyFiles.WithDirectory("/data");
        counted.Fault = count;
        await new StorageScript(counted, Options, Rounds).RunAsync();
        await EachAsync(countOf(count), at => OneAsync(faultAt(at), at));
    }

    /// <summary>For each number from 1; no task may end with a fault that nobody sees.</summary>
    private static async Task EachAsync(long count, Func<int, Task> one)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(SampleShift.Told);
        var failed = new ConcurrentQueue<Exception>();
        var unobserved = new ConcurrentQueue<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs args)
        {
            if (args.Exception.Flatten().InnerExceptions.Any(IsOurs))
            {
                unobserved.Enqueue(args.Exception);
            }
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(1, (int)count), TestContext.Current.CancellationToken, async (at, _) =>
            {
                try
                {
                    await one(at);
                }
                catch (Exception error)
                {
                    failed.Enqueue(error);
                }
            });
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        Assert.Empty(unobserved);
        Assert.True(failed.IsEmpty, $"{failed.Count} of {count}: {string.Join("\n", failed.Take(20).Select(error => error.Message))}");
    }

    private static async Task OneAsync(DiskFault fault, int at)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        disk.Fault = fault;
        DiskImage? died = null;
        var script = new StorageScript(disk, Options, Rounds) { BeforeStop = () => died = disk.Capture() };
        Task CheckAsync(FaultyFiles after, string how) => WithinAsync(() => StorageScript.CheckAsync(after, Options, script.Model.Look(), how));
        await ToldAsync(fault, at, script.Told, async () =>
        {
            await WithinAsync(script.RunAsync);
            disk.Fault = null;
            var stopped = disk.Capture().Settle(at);
            var starting = new List<DiskImage>();
            disk.Before = _ => starting.Add(disk.Capture());
            await CheckAsync(disk, "started again");
            disk.Before = null;
            var pick = at + SampleShift.Value;
            switch (pick % 3)
            {
                case 0:
                    await CheckAsync(starting[pick / 3 % starting.Count].Settle(at), "started again, and crashed on the way");
                    break;
                case 1:
                    await CheckAsync(died!.Settle(at), "crashed, and started again");
                    break;
                default:
                    await CheckAsync(stopped, "stopped, crashed, and started again");
                    break;
            }
        });
    }

    private static async Task GiveUpAsync(DiskFault fault, int at)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options, disk))
        {
            await (await engine.OpenAsync(new PartitionId(0), CancellationToken.None)).PutAsync("kept", "v");
            await (await engine.OpenAsync(new PartitionId(1), CancellationToken.None)).PutAsync("given up", "v");
        }

        var damaged = Assert.Single(disk.List(Directory + "/stores"), name => name.StartsWith("p00001-", StringComparison.Ordinal));
        disk.Rot($"{Directory}/stores/{damaged}/checkpoint", 40);
        var told = new List<string>();
        var (isGivenUp, isWritten) = (false, false);
        disk.Fault = fault;
        await ToldAsync(fault, at, told, async () =>
        {
            await WithinAsync(async () =>
            {
                if (await OpenAsync(disk, told) is not { } engine)
                {
                    return;
                }

                await using (engine)
                {
                    isGivenUp = await TryAsync(() => engine.DiscardAsync(new PartitionId(1), CancellationToken.None).AsTask(), told);
                    isWritten = isGivenUp && await TryAsync(async () => await (await engine.OpenAsync(new PartitionId(1), CancellationToken.None)).PutAsync("new", "v"), told);
                }
            });
            disk.Fault = null;
            var crashed = disk.Capture().Settle(at);
            await WithinAsync(() => CheckGivenUpAsync(disk, isGivenUp, isWritten));
            await WithinAsync(() => CheckGivenUpAsync(crashed, isGivenUp, isWritten));
        });
    }

    /// <summary>Either it is damaged still, or all of it is gone; and once it was said to be given up, gone it is.</summary>
    private static async Task CheckGivenUpAsync(FaultyFiles disk, bool isGivenUp, bool isWritten)
    {
        await using var engine = TestEngine.Open(Options, disk);
        Assert.Equal("v", await (await engine.OpenAsync(new PartitionId(0), CancellationToken.None)).GetTextAsync("kept"));
        if (engine.Damaged.Count > 0)
        {
            Assert.False(isGivenUp);
            Assert.Equal([new PartitionId(1)], engine.Damaged.Keys);
            return;
        }

        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        Assert.Null(await store.GetAsync("given up"));
        Assert.True(!isWritten || await store.GetTextAsync("new") == "v", "what was written after it was given up is gone");
    }

    /// <summary>Tried twice, as a node does that is started again; null where the disk does not let it.</summary>
    private static async Task<StorageEngine?> OpenAsync(FaultyFiles disk, List<string> told)
    {
        StorageEngine? engine = null;
        for (var attempt = 1; attempt <= 2 && engine is null; attempt++)
        {
            await TryAsync(() => Task.FromResult(engine = TestEngine.Open(Options, disk)), told);
        }

        return engine;
    }

    private static async Task<bool> TryAsync(Func<Task> action, List<string> told)
    {
        try
        {
            await action();
            return true;
        }
        catch (Exception error) when (error is StoreRefusedException or StoreException)
        {
            told.Add(error.Message);
            return false;
        }
    }

    private static Task WithinAsync(Func<Task> action) => Task.Run(action).WaitAsync(Hung);

    private static async Task ToldAsync(DiskFault fault, int at, List<string> told, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"fault {at}: {fault.Met?.Message ?? "none"}, told: {string.Join(" | ", told)}: {error.Message}", error);
        }
    }

    private static bool IsOurs(Exception? error)
    {
        while (error is not null and not DiskFaultException)
        {
            error = error.InnerException;
        }

        return error is not null;
    }
}
