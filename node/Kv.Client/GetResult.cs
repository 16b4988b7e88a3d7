namespace Kv.Client;

/// <summary>How a get ended.</summary>
public abstract record GetResult
{
    private GetResult()
    {
    }

    public sealed record Found(KvObjectView Object) : GetResult;

    /// <summary>Nothing there. After a delete that is still remembered, <paramref name="Context"/> is its context, to be handed to a put that follows it; else empty.</summary>
    public sealed record NotFound(ReadOnlyMemory<byte> Context) : GetResult;

    /// <summary>The object is the one whose context was given as <see cref="GetOptions.IfModified"/>.</summary>
    public sealed record Unchanged : GetResult;
}
