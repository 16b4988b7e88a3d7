using Kv.Kubectl.Connections;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Diagnosis;

/// <summary>What a member says of itself and of the others.</summary>
/// <param name="Clock">How far its clock is ahead of this machine's; null where it does not say.</param>
internal sealed record MemberFacts(Node Node, Transfers Transfers, Peers Peers, AntiEntropy AntiEntropy, ClockReading? Clock)
{
    public static async Task<MemberFacts> AskAsync(NodeCaller caller, NodeAddress address, TimeProvider time, CancellationToken cancel)
    {
        // The clock is read on a connection that is there: to make one takes longer.
        var transfers = await caller.AdminOfAsync(address, (client, options) => client.GetTransfersAsync(new GetTransfersRequest(), options), cancel);
        var (before, began) = (time.GetUtcNow(), time.GetTimestamp());
        var node = await caller.AdminOfAsync(address, (client, options) => client.GetNodeAsync(new GetNodeRequest(), options), cancel);
        var clock = node.UnixMilliseconds == 0 ? null : ClockReading.Of(node.UnixMilliseconds, before, time.GetElapsedTime(began));
        return new MemberFacts(
            node,
            transfers,
            await caller.AdminOfAsync(address, (client, options) => client.GetPeersAsync(new GetPeersRequest(), options), cancel),
            await caller.AdminOfAsync(address, (client, options) => client.GetAntiEntropyAsync(new GetAntiEntropyRequest(), options), cancel),
            clock);
    }
}
