using System.Net;

namespace Kv.Operator.Runtime;

/// <summary>The API server answered with an error; the message is its own.</summary>
internal sealed class KubernetesApiException(HttpStatusCode code, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;

    /// <summary>The resource version asked for is too old: list again.</summary>
    public bool IsExpired => Code == HttpStatusCode.Gone;

    public bool IsConflict => Code == HttpStatusCode.Conflict;
}
