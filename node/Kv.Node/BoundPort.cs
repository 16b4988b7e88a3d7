using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Kv.Node;

/// <summary>
/// A protocol's socket, bound before anything is opened, so that a port in use is told at once and a port that the system chose is known before the node
/// describes itself. Owned by the server that it is handed to.
/// </summary>
public sealed class BoundPort : IDisposable
{
    private BoundPort(string protocol, Socket socket) => (Protocol, Socket) = (protocol, socket);

    /// <summary>As in the table of ports: `grpc`, `peer`, ….</summary>
    public string Protocol { get; }

    public Socket Socket { get; }

    public IPEndPoint EndPoint => (IPEndPoint)Socket.LocalEndPoint!;

    /// <summary>Null where the port is off. Throws <see cref="NodeStartException"/> where it cannot be had.</summary>
    public static BoundPort? Bind(string protocol, string listenHost, ListenPort port)
    {
        if (port.IsOff)
        {
            return null;
        }

        var address = listenHost == "localhost" ? IPAddress.Loopback : IPAddress.Parse(listenHost);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, port.Number));
            return new BoundPort(protocol, socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new NodeStartException(string.Create(CultureInfo.InvariantCulture, $"cannot listen on {listenHost} port {port.Number} for {protocol}: {e.Message}"), e);
        }
    }

    public void Dispose() => Socket.Dispose();
}
