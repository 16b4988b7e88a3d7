using Kv.Wire.Riak;
using Xunit;

namespace Kv.Wire.Tests.Riak;

/// <summary>What jobs have of the node's memory.</summary>
public sealed class MapReduceRoomTests
{
    private const int Mebi = 1024 * 1024;

    private readonly RequestMemory memory = new(160 * Mebi, TimeProvider.System);

    [Fact]
    public void AllJobsTogether_LeaveHalfToOtherRequests()
    {
        MapReduceRoom[] jobs = [.. Enumerable.Range(0, 8).Select(_ => new MapReduceRoom(memory))];
        for (var held = Mebi; held <= 64 * Mebi; held += Mebi)
        {
            Assert.All(jobs, job => Assert.True(job.TryHold(held) || held > Mebi));
        }

        Assert.InRange(memory.Clients.Used, memory.Clients.Bytes / 4, memory.Clients.Bytes / 2);
        Assert.True(memory.Clients.TryTake(memory.Clients.Bytes / 4));
        memory.Clients.Release(memory.Clients.Bytes / 4);
        Array.ForEach(jobs, job => job.Dispose());
        Assert.Equal((0, 0), (memory.Clients.Used, memory.Jobs.Used));
    }

    [Fact]
    public void AJobThatOtherRequestsLeaveNoRoom_GivesItsPartBack()
    {
        using var job = new MapReduceRoom(memory);
        Assert.True(memory.Clients.TryTake(memory.Clients.Bytes));
        Assert.False(job.TryHold(Mebi));
        Assert.Equal(0, memory.Jobs.Used);
        memory.Clients.Release(memory.Clients.Bytes);
        Assert.True(job.TryWrite(Mebi));
    }
}
