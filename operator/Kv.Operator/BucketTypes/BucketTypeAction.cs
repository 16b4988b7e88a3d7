using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Kv.Operator.BucketTypes;

/// <summary>The one thing to do next for a bucket type. Each is safe to repeat.</summary>
internal abstract record BucketTypeAction
{
    private BucketTypeAction()
    {
    }

    /// <summary>The cluster is not there or not ready to be asked.</summary>
    public sealed record Wait(string Reason, string Message) : BucketTypeAction;

    /// <summary>The cluster cannot take the type as it is written.</summary>
    public sealed record Refuse(string Reason, string Message) : BucketTypeAction;

    /// <summary>Creates it, or creates it anew with other properties while it is not active.</summary>
    public sealed record Create(JsonObject Props) : BucketTypeAction;

    public sealed record Update(JsonObject Props) : BucketTypeAction;

    public sealed record Activate : BucketTypeAction;

    public sealed record WaitForNodes(ImmutableArray<string> Missing) : BucketTypeAction;

    public sealed record Steady : BucketTypeAction;
}
