using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>One request as bytes over a socket of its own, and all that comes back until the server hangs up: for what a well-behaved client would never send.</summary>
internal static class RawHttp
{
    /// <param name="server">Where to.</param>
    /// <param name="request">Latin-1.</param>
    /// <param name="hangsUp">Ends the sending side: the request stays as short as it is.</param>
    /// <param name="cancel">Ends the wait.</param>
    public static Task<string> AskAsync(IPEndPoint server, string request, bool hangsUp, CancellationToken cancel) =>
        AskAsync(server, Encoding.Latin1.GetBytes(request), hangsUp, cancel);

    public static async Task<string> AskAsync(IPEndPoint server, byte[] request, bool hangsUp, CancellationToken cancel)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(server, cancel);
        var stream = socket.GetStream();
        try
        {
            await stream.WriteAsync(request, cancel);
            if (hangsUp)
            {
                socket.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (IOException)
        {
            // The server has refused already and hung up; what it said can still be read.
        }

        return await ReadToEndAsync(stream, cancel);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream, CancellationToken cancel)
    {
        var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer, cancel);
        }
        catch (IOException)
        {
            // Reset after the answer: the answer stands.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
