using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Ordered;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>Ordered records on their own: what waits for the log, what RocksDB has of it, and what goes on while RocksDB is slow.</summary>
public sealed class OrderedWaitingTests : IDisposable
{
    private const int CheckpointedLsn = 7;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TemporaryDirectory directory = new();
    private readonly OrderedEngine engine = new(8 * 1024 * 1024);
    private readonly List<string> told = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        engine.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task WhileRocksDbIsSlow_ReadsAndWritesGoOn()
    {
        using var slow = new ManualResetEventSlim();
        using var isInside = new ManualResetEventSlim();
        using var records = Open(null, 0, () =>
        {
            isInside.Set();
            Assert.True(slow.Wait(Patience, Cancel));
            return engine;
        });
        Put(records, "one", 1);
        var settling = Task.Run(() => records.Settle(1), Cancel);
        Assert.True(isInside.Wait(Patience, Cancel));
        await Task.Run(() =>
        {
            Put(records, "two", 2);
            Assert.Equal("one", Read(records, "one"));
            Assert.Equal("two", Read(records, "two"));
            records.TrySettle(2);
        }, Cancel).WaitAsync(Patience, Cancel);
        slow.Set();
        await settling.WaitAsync(Patience, Cancel);
        Assert.NotEqual(0, records.WaitingBytes);
        records.Settle(2);
        Assert.Equal(0, records.WaitingBytes);
        Assert.Equal(["one", "two"], Scan(records));
    }

    [Fact]
    public void WhatWasChangedWhileItWaited_IsNotForgottenWithTheOlder()
    {
        using var records = Open(null, 0);
        Put(records, "k", 1, "older");
        Put(records, "k", 2, "newer");
        records.Settle(1);
        Assert.Equal("newer", Read(records, "k"));
        records.Settle(2);
        Assert.Equal("newer", Read(records, "k"));
        Assert.Equal(0, records.WaitingBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void RecordsLaterThanTheLog_AreDamage(int lost)
    {
        long sequence;
        using (var records = Open(null, 0))
        {
            Put(records, "k", CheckpointedLsn);
            sequence = records.Flush(CheckpointedLsn)!.Value;
        }

        if (lost == 0)
        {
            using var again = Open(sequence, CheckpointedLsn);
            Assert.Equal(["k"], Scan(again));
            return;
        }

        var damage = Assert.Throws<StoreDamagedException>(() => Open(sequence, CheckpointedLsn - lost));
        Assert.Contains($"expected sequence number {CheckpointedLsn - lost} of the log at most, found {CheckpointedLsn}", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhenClosed_ItHasNoFiles_AndTakesNothing()
    {
        var records = Open(null, 0);
        Put(records, "k", 1);
        records.Flush(1);
        Assert.NotEqual(0, records.FileBytes);
        records.Dispose();
        Assert.Equal(0, records.FileBytes);
        Put(records, "late", 2);
        records.Settle(2);
        Assert.NotEqual(0, records.WaitingBytes);
    }

    /// <summary>Whoever has much to replay asks with each record.</summary>
    [Fact]
    public void OnAFullDisk_WhatWaitsIsNotLookedAt()
    {
        var files = new CountingFiles { FreeBytesLeft = 0 };
        using var full = Open(null, 0, static () => throw new OrderedFullException("No room.", null), files);
        const int changes = 10_000;
        for (var lsn = 1; lsn <= changes; lsn++)
        {
            Put(full, $"key-{lsn}", lsn);
        }

        full.Settle(changes);
        Assert.NotNull(full.WhyFull);
        var least = Enumerable.Range(0, 10).Min(_ => AllocatedBy(() => full.Settle(changes)));
        Assert.InRange(least, 0, changes);
        Assert.Equal(changes, Scan(full, changes).Count);
    }

    private static long AllocatedBy(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Put(OrderedRecords records, string key, long lsn, string? value = null)
    {
        records.Put(Bytes.Of(key), Bytes.Of(value ?? key));
        records.End(lsn);
    }

    private static string? Read(OrderedRecords records, string key) => records.Read(Bytes.Of(key).Span) is { } value ? Bytes.Text(value) : null;

    private static List<string> Scan(OrderedRecords records, int most = 100) =>
        [.. records.Scan(new StoreScan(ScanSpace.Records, default, default, most, int.MaxValue)).Entries.Select(entry => Bytes.Text(entry.Key))];

    private OrderedRecords Open(long? sequence, long logEnd, Func<OrderedEngine>? from = null, IStorageFiles? files = null) =>
        new(files ?? DiskFiles.Instance, from ?? (() => engine), directory.Path, sequence, logEnd, new OrderedValue(1024, static length => new byte[length]), told.Add);
}
