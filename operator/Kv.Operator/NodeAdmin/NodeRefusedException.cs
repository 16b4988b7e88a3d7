using Grpc.Core;

namespace Kv.Operator.NodeAdmin;

/// <summary>A node answered that it will not. <see cref="Word"/> is the stable beginning of its message, as in <c>plan_changed</c>.</summary>
internal sealed class NodeRefusedException(StatusCode code, string text) : Exception(text)
{
    public StatusCode Code { get; } = code;

    public string Word { get; } = text.Split(':')[0];
}
