using System.Net;
using System.Net.Sockets;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>
/// Ports of nodes on loopback: block i is the well-known ports plus 100 times i, so that the first node has the numbers that everybody knows.
/// No two ports of two blocks meet, since no two well-known ones are the same modulo 100. A node keeps its block for ever.
/// </summary>
internal static class PortBlocks
{
    /// <summary>Below 32768, where the system begins to give out ports for outgoing connections.</summary>
    public const int MaxBlocks = 230;
    private const int Step = 100;

    public static IReadOnlyDictionary<string, int> PortsOf(int block) =>
        Ports.All.ToDictionary(port => port.Name, port => port.Number + (block * Step), StringComparer.Ordinal);

    /// <summary>The first block that no node has, all of whose ports are free now, and that nobody else has reserved.</summary>
    public static int Choose(IEnumerable<int> taken, Func<int, bool> isFree, Func<int, bool> tryReserve)
    {
        var used = taken.ToHashSet();
        for (var block = 0; block < MaxBlocks; block++)
        {
            if (!used.Contains(block) && PortsOf(block).Values.All(isFree) && tryReserve(block))
            {
                return block;
            }
        }

        throw new WorldException($"no {Ports.All.Count} free ports in {MaxBlocks} places on 127.0.0.1");
    }

    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Without this, connections of a node that ended a moment ago would count.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
