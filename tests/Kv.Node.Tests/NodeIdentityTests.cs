using Kv.Core.Stores;
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

        var drawn = await NodeIdentity.ReadOrDrawAsync(one, None);

        Assert.Equal(drawn, await NodeIdentity.ReadOrDrawAsync(one, None));
        Assert.NotEqual(drawn, await NodeIdentity.ReadOrDrawAsync(other, None));
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
        await state.WriteAsync("node-id", Convert.FromHexString(hex), None);

        var error = await Assert.ThrowsAsync<StoreException>(() => NodeIdentity.ReadOrDrawAsync(state, None));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
