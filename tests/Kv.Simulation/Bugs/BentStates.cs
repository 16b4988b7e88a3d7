using Kv.Core.Stores;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>Mistakes of a node state, each with one record.</summary>
internal static class BentStates
{
    /// <summary>Gives what was written first, by node, whatever came after.</summary>
    public sealed class Stale(SimContext context, INodeState real, string record, Dictionary<string, byte[]> first) : INodeState
    {
        public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel) =>
            name == record && first.TryGetValue(context.Name, out var old) ? old : await real.ReadAsync(name, cancel);

        public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
        {
            if (name == record && value.Length > 0)
            {
                first.TryAdd(context.Name, value.ToArray());
            }

            return real.WriteAsync(name, value, cancel);
        }
    }

    /// <summary>Keeps it a while after it said so.</summary>
    public sealed class Late(SimContext context, INodeState real, string record) : INodeState
    {
        private static readonly TimeSpan Delay = TimeSpan.FromSeconds(3);

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel) => real.ReadAsync(name, cancel);

        public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
        {
            if (name != record)
            {
                return real.WriteAsync(name, value, cancel);
            }

            var kept = value.ToArray();
            context.After(Delay, () => _ = real.WriteAsync(name, kept, CancellationToken.None).AsTask());
            return ValueTask.CompletedTask;
        }
    }
}
