using System.Net.WebSockets;
using System.Text.Json;
using k8s;
using k8s.Autorest;

namespace Kv.Kubectl.Connections;

/// <summary>Opens a port-forward to a pod, as a stream; what goes wrong is an <see cref="IOException"/> with what the API server said.</summary>
internal static class PortForward
{
    public static async Task<Stream> OpenAsync(Kubernetes client, string kubeNamespace, string pod, int port, CancellationToken cancel)
    {
        try
        {
            var socket = await client.WebSocketNamespacedPodPortForwardAsync(pod, kubeNamespace, [port], WebSocketProtocol.V4BinaryWebsocketProtocol, cancellationToken: cancel);
            return new PortForwardStream(socket);
        }
        catch (HttpOperationException e)
        {
            throw new IOException($"the API server refused a port-forward: {MessageOf(e.Response.Content) ?? e.Response.ReasonPhrase}", e);
        }
        catch (WebSocketException e)
        {
            throw new IOException($"no port-forward: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>The message of a Status object; null if it is none.</summary>
    public static string? MessageOf(string? content)
    {
        try
        {
            return content is null ? null : JsonDocument.Parse(content).RootElement.GetProperty("message").GetString();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
