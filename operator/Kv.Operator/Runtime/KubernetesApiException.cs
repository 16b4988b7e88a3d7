using System.Net;

namespace Kv.Operator.Runtime;

/// <summary>The API server answered with an error; the message is its own.</summary>
internal sealed class KubernetesApiException(HttpStatusCode code, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;

    /// <summary>The resource version asked for is too old: list again.</summary>
    public bool IsExpired => Code == HttpStatusCode.Gone;

    public bool IsConflict => Code == HttpStatusCode.Conflict;

    /// <summary>Nobody may create anything there any more, whatever his rights. Only the API server's sentence tells it from a right that is missing.</summary>
    public bool IsNamespaceEnding => Code == HttpStatusCode.Forbidden && Message.Contains("because it is being terminated", StringComparison.Ordinal);
}
