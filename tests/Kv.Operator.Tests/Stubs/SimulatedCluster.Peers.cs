using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>How nodes see each other, and for how long they have.</summary>
internal sealed partial class SimulatedCluster
{
    /// <summary>Nodes that do not say how they see their peers.</summary>
    public HashSet<string> Blind { get; } = [];

    /// <summary>The node was cut off from the others for a while; its process went on.</summary>
    public void Reconnect(string node) => ProcessOf(node).Reconnect();

    public Task<Admin.Peers> GetPeersAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        if (Blind.Contains(address))
        {
            throw new NodeUnreachableException(address, "takes too long", null);
        }

        return Task.FromResult(new Admin.Peers
        {
            Peers_ =
            {
                members.Where(name => name != address).Select(name => new Admin.Peer
                {
                    Id = memberIds[name],
                    Name = name,
                    Up = IsUp(name),
                    MillisecondsInState = (long)new[] { ProcessOf(address).Uptime, ProcessOf(name).Uptime, ProcessOf(name).SeenUp }.Min().TotalMilliseconds,
                }),
            },
        });
    }
}
