using Kv.Core.Stores;
using Kv.Storage.State;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests.State;

public sealed class FileNodeStateTests
{
    private const string Directory = "/data/state";

    [Fact]
    public async Task Read_OfANameNeverWritten_IsNull_AndOfAnEmptyValueIsEmpty()
    {
        var state = new FileNodeState(FaultyFiles.WithDirectory("/data"), Directory);
        Assert.Null(await state.ReadAsync("identity", CancellationToken.None));
        await state.WriteAsync("identity", default, CancellationToken.None);
        Assert.Equal(0, (await state.ReadAsync("identity", CancellationToken.None))!.Value.Length);
    }

    [Fact]
    public async Task Crash_AtEachOperation_LeavesTheLastAcknowledgedValueOrTheNextOne()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var acknowledged = -1;
        var crashes = new List<(DiskImage Image, int Acknowledged)>();
        disk.Before = _ => crashes.Add((disk.Capture(), acknowledged));
        var state = new FileNodeState(disk, Directory);
        for (var version = 0; version < 10; version++)
        {
            await state.WriteAsync("document", Bytes.Pattern(3000 + version, version), CancellationToken.None);
            acknowledged = version;
        }

        for (var index = 0; index < crashes.Count; index++)
        {
            for (var seed = 0; seed < 5; seed++)
            {
                var after = new FileNodeState(crashes[index].Image.Settle(seed), Directory);
                var value = await after.ReadAsync("document", CancellationToken.None);
                var known = crashes[index].Acknowledged;
                var isKnown = known >= 0 ? value is { } present && present.Span.SequenceEqual(Bytes.Pattern(3000 + known, known)) : value is null;
                var isNext = value is { } other && other.Span.SequenceEqual(Bytes.Pattern(3001 + known, known + 1));
                Assert.True(isKnown || isNext, $"crash {index}, seed {seed}: neither version {known} nor {known + 1}");
            }
        }
    }

    [Fact]
    public async Task WhicheverOperationFails_TheLastAcknowledgedValueOrTheNextOneIsThere()
    {
        var count = DiskFault.None();
        await FailAsync(count);
        Assert.Null(count.Met);
        foreach (var fault in Enumerable.Range(1, (int)count.Changes).SelectMany(at => new[] { DiskFault.Fail(at), DiskFault.FailFrom(at) })
            .Concat(Enumerable.Range(1, (int)count.Writes).Select(at => DiskFault.Short(at, 10)))
            .Concat(Enumerable.Range(1, (int)count.Looks).Select(at => DiskFault.FailLook(at))))
        {
            await FailAsync(fault);
            Assert.NotNull(fault.Met);
        }
    }

    private static async Task FailAsync(DiskFault fault)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        disk.Fault = fault;
        var (acknowledged, tried) = (-1, -1);
        try
        {
            var state = new FileNodeState(disk, Directory);
            for (var version = 0; version < 4; version++)
            {
                tried = version;
                await state.WriteAsync("document", Bytes.Pattern(3000 + version, version), CancellationToken.None);
                acknowledged = version;
                await state.ReadAsync("document", CancellationToken.None);
            }
        }
        catch (StoreException failure)
        {
            Assert.NotNull(fault.Met);
            Assert.Contains("Input/output error", failure.Message, StringComparison.Ordinal);
        }

        disk.Fault = null;
        foreach (var after in new[] { disk.Capture().Settle(1), disk })
        {
            var value = await new FileNodeState(after, Directory).ReadAsync("document", CancellationToken.None);
            Assert.Contains(Enumerable.Range(acknowledged, tried - acknowledged + 1), version => version < 0 ? value is null : value?.Span.SequenceEqual(Bytes.Pattern(3000 + version, version)) == true);
        }
    }

    [Theory]
    [InlineData(0, "KVSEALED")]
    [InlineData(8, "kind")]
    [InlineData(12, "format version 17")]
    [InlineData(16, "length")]
    [InlineData(20, "CRC-32C")]
    [InlineData(30, "CRC-32C")]
    public async Task ADamagedValue_IsRefused_AndNeverPassesForAbsent(int offset, string says)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var state = new FileNodeState(disk, Directory);
        await state.WriteAsync("document", Bytes.Pattern(100, 1), CancellationToken.None);
        disk.Rot(Directory + "/document.state", offset);
        var refusal = await Assert.ThrowsAsync<StoreException>(async () => await state.ReadAsync("document", CancellationToken.None));
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Upper")]
    [InlineData("../up")]
    [InlineData("a.b")]
    public async Task ANameOfOtherCharacters_IsRefused(string name)
    {
        var state = new FileNodeState(FaultyFiles.WithDirectory("/data"), Directory);
        await Assert.ThrowsAsync<ArgumentException>(async () => await state.ReadAsync(name, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await new MemoryNodeState().WriteAsync(name, default, CancellationToken.None));
    }

    [Fact]
    public async Task AFailedWrite_ThrowsAndKeepsTheOldValue()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var state = new FileNodeState(disk, Directory);
        await state.WriteAsync("document", Bytes.Of("old"), CancellationToken.None);
        disk.Before = operation => throw new IOException($"No space left on device ({operation.What}).");
        await Assert.ThrowsAsync<StoreException>(async () => await state.WriteAsync("document", Bytes.Of("new"), CancellationToken.None));
        Assert.Equal("old", Bytes.Text((await state.ReadAsync("document", CancellationToken.None))!.Value));
    }

    [Fact]
    public async Task AFullDisk_StillTakesAFact_InTheRoomThatWasKept()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var state = new FileNodeState(disk, Directory);
        await state.WriteAsync("document", Bytes.Of("old"), CancellationToken.None);
        disk.FillUp();
        for (var version = 0; version < 5; version++)
        {
            // Each start writes one before anything else.
            state = new FileNodeState(disk, Directory);
            await state.WriteAsync("document", Bytes.Pattern(3000, version), CancellationToken.None);
            Assert.Equal(Bytes.Pattern(3000, version), (await state.ReadAsync("document", CancellationToken.None))!.Value.ToArray());
        }

        disk.MakeRoom();
        _ = new FileNodeState(disk, Directory);
        Assert.Equal(1024 * 1024, disk.Content(Directory + "/reserve").Length);
    }

    [Fact]
    public async Task AFullDisk_WithoutRoomThatWasKept_RefusesAndKeepsTheOldValue()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var state = new FileNodeState(disk, Directory);
        await state.WriteAsync("document", Bytes.Of("old"), CancellationToken.None);
        disk.Delete(Directory + "/reserve");
        disk.FillUp();
        await Assert.ThrowsAsync<StoreException>(async () => await state.WriteAsync("document", Bytes.Of("new"), CancellationToken.None));
        Assert.Equal("old", Bytes.Text((await state.ReadAsync("document", CancellationToken.None))!.Value));
    }
}
