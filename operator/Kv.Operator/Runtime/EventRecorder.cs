using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Kv.Operator.Runtime;

/// <summary>Writes events about objects, on transitions only. An event is named after its transition, so that one that is told again is there once. Losing one is no failure: it is logged.</summary>
internal sealed partial class EventRecorder(IKubernetesApi api, TimeProvider time, ILogger<EventRecorder> logger)
{
    private const int MaxMessage = 1000;

    public async Task PublishAsync(IKubernetesObject<V1ObjectMeta> about, Transition transition, CancellationToken cancel)
    {
        var stamp = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{about.Metadata.Uid} {transition.Id}")))[..16];
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["name"] = $"{about.Metadata.Name}.{hash}", ["namespace"] = about.Metadata.NamespaceProperty },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = about.ApiVersion,
                ["kind"] = about.Kind,
                ["name"] = about.Metadata.Name,
                ["namespace"] = about.Metadata.NamespaceProperty,
                ["uid"] = about.Metadata.Uid,
            },
            ["type"] = transition.IsWarning ? "Warning" : "Normal",
            ["reason"] = transition.Reason,
            ["message"] = transition.Message.Length <= MaxMessage ? transition.Message : transition.Message[..MaxMessage],
            ["source"] = new JsonObject { ["component"] = ServerSideApply.FieldManager },
            ["reportingComponent"] = "kv.dev/kv-operator",
            ["firstTimestamp"] = stamp,
            ["lastTimestamp"] = stamp,
            ["count"] = 1,
        };
        try
        {
            await api.CreateAsync(ResourceKind.Event, about.Metadata.NamespaceProperty, body, cancel);
        }
        catch (KubernetesApiException e) when (e.IsConflict || e.IsNamespaceEnding)
        {
            // It has been told already, or nobody will read it.
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
        {
            LogLost(transition.Reason, e.Message);
        }
    }

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message = "event {Reason} was not written: {Why}")]
    private partial void LogLost(string reason, string why);
}
