namespace Kv.Wire.Hooks;

/// <summary>What a hook answered: status and body; or (<paramref name="Problem"/>) why there is no answer.</summary>
internal readonly record struct HookReply(int Status, ReadOnlyMemory<byte> Body, string? Problem)
{
    public bool IsSuccess => Problem is null && Status is >= 200 and < 300;

    /// <summary>Whether asking again could help: not where the hook says that it was asked something wrong.</summary>
    public bool MayPass => Problem is not null || Status is >= 500 or 408 or 425 or 429;

    public static HookReply Failed(string problem) => new(0, default, problem);
}
