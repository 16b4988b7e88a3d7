using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests.Log;

public sealed class WriteAheadLogTests
{
    [Fact]
    public async Task AnAppendWithoutMemory_IsRefused_AndLeavesNoHole()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "log");
        var store = new StoreIdentity(1, 1);
        using (var log = Open(path, []))
        {
            await log.Append(store, LogRecordKind.Batch, new Payload(10), Durability.Synced, out _, out _);
            await Assert.ThrowsAsync<StoreRefusedException>(
                async () => await log.Append(store, LogRecordKind.Batch, new Payload(20, hasMemory: false), Durability.Synced, out _, out _));
            await log.Append(store, LogRecordKind.Batch, new Payload(30), Durability.Synced, out _, out var last);
            Assert.Equal(2, last);
        }

        var found = new List<(long Lsn, int Bytes)>();
        using (Open(path, found))
        {
            Assert.Equal([(1L, 10), (2L, 30)], found);
        }
    }

    [Fact]
    public async Task ASegmentThatEndsOnAFullDisk_IsFollowedByTheOneThatWasMadeAhead()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var log = new LogHarness(disk, LogHarness.Options with { PrepareAhead = true });
        await log.Append(new byte[40_000]);
        while (!disk.Exists(Path.Combine(LogHarness.Directory, LogSegment.ReadyName)) || disk.UsedBytes() < 2 * 64 * 1024 + DiskReserve.Bytes)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        disk.FillUp();
        for (var i = 0; i < 10; i++)
        {
            await log.Append(new byte[100]);
        }

        Assert.Empty(log.Failures);
        disk.MakeRoom();
        await log.Append(new byte[60_000]);
        log.Dispose();
        using var again = new LogHarness(disk);
        Assert.Equal(40_000 + (10 * 100) + 60_000, again.Payloads.Sum(record => record.Payload.Length));
    }

    private static WriteAheadLog Open(string path, List<(long Lsn, int Bytes)> found) => WriteAheadLog.Open(
        DiskFiles.Instance,
        path,
        LogOptions.ForSegments(64 * 1024),
        TimeProvider.System,
        acknowledged: 0,
        (record, _) => found.Add((record.Lsn, record.PayloadBytes)),
        error => throw error);

    private sealed class Payload(int length, bool hasMemory = true) : ILogPayload
    {
        public int Length => length;

        public void CopyTo(Span<byte> target)
        {
            if (!hasMemory)
            {
                throw new InsufficientMemoryException();
            }

            target.Fill(7);
        }
    }
}
