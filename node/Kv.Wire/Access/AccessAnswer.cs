namespace Kv.Wire.Access;

/// <summary>What became of a client's word about who it is.</summary>
public abstract record AccessAnswer
{
    private AccessAnswer()
    {
    }

    public sealed record Known(AccessUser User) : AccessAnswer;

    /// <summary>It is not told why; the log is.</summary>
    public sealed record Unknown : AccessAnswer;

    /// <summary>More passwords are being looked at than this node has processors for.</summary>
    public sealed record Overloaded : AccessAnswer;
}
