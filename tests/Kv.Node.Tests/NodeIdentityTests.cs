using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Memory;
using Kv.Storage.State;
using Xunit;

namespace Kv.Node.Tests;

public sealed class NodeIdentityTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Identity_OfAnEmptyVolume_IsDrawnAndKept()
    {
        var (one, other) = (new MemoryNodeState(), new MemoryNodeState());
        await using var stores = new MemoryPartitionStores();

        var drawn = await NodeIdentity.ReadOrDrawAsync(one, stores, None);

        Assert.Equal(drawn, await NodeIdentity.ReadOrDrawAsync(one, stores, None));
        Assert.NotEqual(drawn, await NodeIdentity.ReadOrDrawAsync(other, stores, None));
    }

    [Fact]
    public async Task Identity_ThatIsGoneFromAVolumeWithData_IsNotDrawnAnew()
    {
        await using var stores = new MemoryPartitionStores();
        await using var store = await stores.OpenAsync(new PartitionId(3), None);
        var state = new MemoryNodeState();

        var error = await Assert.ThrowsAsync<StoreException>(() => NodeIdentity.ReadOrDrawAsync(state, stores, None));

        Assert.Contains("holds 1 partitions and no `node-id`", error.Message, StringComparison.Ordinal);
        Assert.Null(await state.ReadAsync("node-id", None));
    }

    [Theory]
    [InlineData("", "damaged")]
    [InlineData("01", "damaged")]
    [InlineData("010000000000000000", "damaged")]
    [InlineData("0111223344556677", "damaged")]
    [InlineData("01112233445566778899", "damaged")]
    [InlineData("071122334455667788", "format version 7")]
    public async Task Identity_ThatIsDamaged_IsRefused(string hex, string reason)
    {
        var state = new MemoryNodeState();
        await using var stores = new MemoryPartitionStores();
        await state.WriteAsync("node-id", Convert.FromHexString(hex), None);

        var error = await Assert.ThrowsAsync<StoreException>(() => NodeIdentity.ReadOrDrawAsync(state, stores, None));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
