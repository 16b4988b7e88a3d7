using Kv.Core.Stores;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>A node state that forgets one record, or keeps it late.</summary>
internal sealed class BentState(SimContext context, INodeState real, string record, bool forgets, TimeSpan late) : INodeState
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel) =>
        forgets && name == record ? null : await real.ReadAsync(name, cancel);

    public async ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        if (name != record || late == TimeSpan.Zero)
        {
            await real.WriteAsync(name, value, cancel);
            return;
        }

        var kept = value.ToArray();
        context.After(late, () => _ = WriteLateAsync(name, kept));
    }

    private async Task WriteLateAsync(string name, byte[] value) => await real.WriteAsync(name, value, CancellationToken.None);
}
