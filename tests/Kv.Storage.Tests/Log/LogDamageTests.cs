using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests.Log;

/// <summary>What a crash cannot do: the log refuses to start, and says where and why.</summary>
public sealed class LogDamageTests
{
    private const string First = LogHarness.Directory + "/00000000000000000001.log";

    [Fact]
    public async Task Rot_InARecordWithGroupsBehindIt_IsRefusedWithFileAndOffset()
    {
        var disk = await WrittenAsync(20);
        disk.Rot(First, 4096 + 50);
        var refusal = Refusal(disk);
        Assert.Contains(First, refusal, StringComparison.Ordinal);
        Assert.Contains("at offset 4096", refusal, StringComparison.Ordinal);
        Assert.Contains("sequence number 1", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rot_OfAnyByteWithGroupsBehindIt_IsRefusedWithFileAndOffset()
    {
        var image = (await WrittenAsync(3)).Capture();
        var record = LogRecord.Footprint(500);
        for (var at = 0; at < 3 * 4096; at += at % 4096 < record ? 1 : 61)
        {
            var group = at / 4096;
            if ((group == 0 && at >= 44) || (at % 4096 >= LogRecord.HeaderBytes + 500 && at % 4096 < record))
            {
                continue; // No checksum covers the zeros behind a segment's header, nor those of a record's last 8 bytes, and nothing reads them.
            }

            var disk = image.Settle(1);
            disk.Rot(First, at, (byte)(1 << (at % 8)));
            var refusal = Refusal(disk);
            Assert.Contains(First, refusal, StringComparison.Ordinal);
            Assert.Contains(group == 0 ? at is >= 8 and < 12 ? "format version" : "at offset " : $"sequence number {(at % 4096 < record ? group : group + 1)}", refusal, StringComparison.Ordinal);
        }
    }

    /// <summary>The last group is whole, and may have been acknowledged: it must not be cut for what is in front of it.</summary>
    [Fact]
    public async Task Rot_InTheZerosBeforeTheLastGroup_IsRefused_AndCostsNothing()
    {
        var disk = await WrittenAsync(3);
        disk.Rot(First, (3 * 4096) - 1);
        Assert.Contains("sequence number 3", Refusal(disk), StringComparison.Ordinal);
        disk.Rot(First, (3 * 4096) - 1);
        using var harness = new LogHarness(disk);
        Assert.Equal(3, harness.Payloads.Count);
    }

    [Fact]
    public async Task Rot_OfAnyByteOfTheManifest_IsRefusedWithFileAndOffset()
    {
        const string manifest = LogHarness.Directory + "/" + LogManifest.FileName;
        var written = await WrittenAsync(40);
        using (var harness = new LogHarness(written))
        {
            harness.Log.Trim(30, [new StoreCoverage(LogHarness.Store, 29)]);
        }

        var image = written.Capture();
        for (var at = 0; at < written.Content(manifest).Length; at++)
        {
            var disk = image.Settle(1);
            disk.Rot(manifest, at, (byte)(1 << (at % 8)));
            var refusal = Refusal(disk);
            Assert.StartsWith(manifest, refusal, StringComparison.Ordinal);
            Assert.Contains(at is >= 12 and < 16 ? "format version" : "at offset ", refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rot_AnywhereInTheLastGroup_IsRefusedWithFileAndOffset()
    {
        // One group of three records, so that rot is also in front of good ones.
        const int last = 4096 + (9 * 4096);
        var record = LogRecord.Footprint(500);
        for (var at = 0; at < 3 * record; at++)
        {
            var disk = await WrittenAsync(9, thenAtOnce: 3);
            Assert.Equal(1, disk.Content(First)[last + (2 * record) + 36]);
            disk.Rot(First, last + at, flip: 0x01);
            if (IsPadding(at % record) || (at % record is >= 4 and < 8))
            {
                continue; // No checksum covers the padding; a length that rotted may be one of a longer record that was never written whole.
            }

            var refusal = Refusal(disk);
            Assert.Contains(First, refusal, StringComparison.Ordinal);
            Assert.Contains($"at offset {last + (at / record * record)}", refusal, StringComparison.Ordinal);
            Assert.Contains($"sequence number {10 + (at / record)}", refusal, StringComparison.Ordinal);
        }

        static bool IsPadding(int at) => at >= LogRecord.HeaderBytes + 500;
    }

    [Fact]
    public async Task Rot_InTheLastGroup_ThatLooksLikeASectorThatWasNeverWritten_IsCut()
    {
        // Nothing tells the two apart, and a plain crash must not pass for damage.
        var disk = await WrittenAsync(10);
        using (var file = disk.Open(First, Storage.Files.FileOpening.Existing))
        {
            file.Write(4096 + (9 * 4096) + 512, new byte[512]);
        }

        using var harness = new LogHarness(disk);
        Assert.Equal(9, harness.Payloads.Count);
        Assert.True(harness.Log.TornBytes > 0);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(9)]
    public async Task AnEndThatIsLost_AndThatAStoreHas_IsRefusedAndLeftAsItIs(long acknowledged)
    {
        // The first sector is gone, then the whole group: both look like a crash.
        foreach (var length in new[] { 512, 4096 })
        {
            var disk = await WrittenAsync(10);
            using (var file = disk.Open(First, Storage.Files.FileOpening.Existing))
            {
                file.Write(4096 + (9 * 4096), new byte[length]);
            }

            var before = disk.Content(First);
            if (acknowledged == 10)
            {
                var refusal = Refusal(disk, acknowledged);
                Assert.Contains($"{First} at offset {4096 + (9 * 4096)}", refusal, StringComparison.Ordinal);
                Assert.Contains("sequence number 10", refusal, StringComparison.Ordinal);
                Assert.Equal(before, disk.Content(First));
            }
            else
            {
                using var harness = new LogHarness(disk, acknowledged: acknowledged);
                Assert.Equal(9, harness.Payloads.Count);
            }
        }
    }

    [Fact]
    public async Task AHoleOfZeros_WithGroupsBehindIt_IsRefused()
    {
        var disk = await WrittenAsync(20);
        using (var file = disk.Open(First, Storage.Files.FileOpening.Existing))
        {
            file.Write(4096 + (7 * 4096), new byte[4096]);
        }

        Assert.Contains("sequence number 8", Refusal(disk), StringComparison.Ordinal);
    }

    /// <summary>A sector that the disk lost is the end of a group, so that what follows it looks like the zeros behind one: the next group is whole, and was acknowledged.</summary>
    [Fact]
    public async Task ASectorOfZeros_AtTheEndOfTheLastGroupButOne_IsRefused()
    {
        const int sector = 512;
        var disk = FaultyFiles.WithDirectory("/data");
        using (var harness = new LogHarness(disk, LogHarness.Options with { Interval = TimeSpan.FromHours(1) }))
        {
            await harness.Append(Bytes.Pattern(sector - LogRecord.HeaderBytes, 1), Durability.Memory);
            await harness.Append(Bytes.Pattern(sector - LogRecord.HeaderBytes, 2));
            await harness.Append(Bytes.Pattern(sector - LogRecord.HeaderBytes, 3));
        }

        Assert.Equal(3, LogRecord.TryRead(disk.Content(First).AsSpan(2 * 4096))?.Lsn);
        using (var file = disk.Open(First, Storage.Files.FileOpening.Existing))
        {
            file.Write(4096 + sector, new byte[sector]);
        }

        Assert.Contains("sequence number 2", Refusal(disk), StringComparison.Ordinal);
    }

    /// <summary>A value may be a copy of another log, or made to look like one: a crash while it is written must not pass for damage.</summary>
    [Fact]
    public async Task AGroupOfAnotherLog_InAValueThatWasNotWrittenWhole_IsCutWithIt()
    {
        const int sector = 512;
        var foreign = new LogRecord(5000, 5000, LogHarness.Store, LogRecordKind.Batch, 0);
        var value = Bytes.Pattern(3 * 4096, 1);
        foreign.WriteHeader(value.AsSpan(4096 - LogRecord.HeaderBytes));
        LogRecord.Seal(value.AsSpan(4096 - LogRecord.HeaderBytes));
        var disk = FaultyFiles.WithDirectory("/data");
        using (var harness = new LogHarness(disk))
        {
            await harness.Append(Bytes.Pattern(100, 2));
            await harness.Append(value);
        }

        Assert.Equal(5000, LogRecord.TryRead(disk.Content(First).AsSpan(3 * 4096))?.Lsn);
        using (var file = disk.Open(First, Storage.Files.FileOpening.Existing))
        {
            file.Write(2 * 4096, new byte[sector]);
        }

        using var again = new LogHarness(disk);
        Assert.Equal(1, Assert.Single(again.Payloads).Lsn);
    }

    [Fact]
    public async Task AMissingSegment_AtEitherEndOrBetween_IsRefused()
    {
        var segments = (await WrittenAsync(60)).List(LogHarness.Directory).Where(name => name.EndsWith(LogSegment.Suffix, StringComparison.Ordinal)).ToArray();
        Assert.True(segments.Length >= 3);
        foreach (var missing in segments)
        {
            var disk = await WrittenAsync(60);
            disk.Delete(Path.Combine(LogHarness.Directory, missing));
            Assert.Contains("refuses to start", Refusal(disk), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AMissingManifest_IsRefused()
    {
        var disk = await WrittenAsync(5);
        disk.Delete(Path.Combine(LogHarness.Directory, LogManifest.FileName));
        Assert.Contains("manifest", Refusal(disk), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, "format version 17")]
    [InlineData(0, "magic")]
    [InlineData(20, "CRC-32C")]
    public async Task ADamagedOrUnknownSegmentHeader_IsRefused(int offset, string says)
    {
        var disk = await WrittenAsync(5);
        disk.Rot(First, offset);
        Assert.Contains(says, Refusal(disk), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnknownManifestVersion_IsRefusedWithTheNumber()
    {
        var disk = await WrittenAsync(5);
        disk.Rot(Path.Combine(LogHarness.Directory, LogManifest.FileName), 12, flip: 0x40);
        Assert.Contains("format version 65", Refusal(disk), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFailedSync_EndsTheLogForEveryWaiterAndEveryLaterCall()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        using var harness = new LogHarness(disk);
        await harness.Append([1]);
        disk.Before = operation =>
        {
            if (operation.What == "sync")
            {
                throw new IOException("no more");
            }
        };
        await Assert.ThrowsAsync<StoreException>(async () => await harness.Append([2]));
        disk.Before = null;
        await Assert.ThrowsAsync<StoreException>(async () => await harness.Append([3]));
        var failure = Assert.Single(harness.Failures);
        Assert.Contains("no more", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APayloadLongerThanARecord_SpansSeveral()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var payload = Bytes.Pattern(100_000, 3);
        using (var harness = new LogHarness(disk))
        {
            await harness.Append(payload);
        }

        using var again = new LogHarness(disk);
        Assert.Equal(LogRecordKind.BatchFirst, again.Found[0].Record.Kind);
        Assert.Equal(LogRecordKind.BatchLast, again.Found[^1].Record.Kind);
        Assert.Equal(payload, again.Payloads.SelectMany(part => part.Payload).ToArray());
    }

    /// <param name="records">Records of a group each.</param>
    /// <param name="thenAtOnce">Records of the last group.</param>
    private static async Task<FaultyFiles> WrittenAsync(int records, int thenAtOnce = 0)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        using var harness = new LogHarness(disk, LogHarness.Options with { Interval = TimeSpan.FromHours(1) });
        for (var index = 0; index < records + thenAtOnce; index++)
        {
            await harness.Append(Bytes.Pattern(500, index), index < records ? Durability.Synced : Durability.Memory);
        }

        return disk;
    }

    private static string Refusal(FaultyFiles disk, long acknowledged = 0) => Assert.Throws<StoreException>(() => new LogHarness(disk, acknowledged: acknowledged)).Message;
}
