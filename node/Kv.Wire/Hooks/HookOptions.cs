using System.Collections.Immutable;

namespace Kv.Wire.Hooks;

/// <summary>The hooks that a node may call, and the bounds of that.</summary>
public sealed record HookOptions
{
    public ImmutableSortedDictionary<string, HookEndpoint> Endpoints { get; init; } = ImmutableSortedDictionary.Create<string, HookEndpoint>(StringComparer.Ordinal);

    /// <summary>For an answer, from the call on.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Precommit hooks that are asked at once; past it, overload.</summary>
    public int MaxCalls { get; init; } = 64;

    /// <summary>Writes that a postcommit hook is still to be told of; past it they are dropped, and counted.</summary>
    public int QueueLength { get; init; } = 1000;

    /// <summary>Bytes of all values of an object; larger ones are shown to no hook.</summary>
    public long MaxObjectBytes { get; init; } = 1024 * 1024;

    /// <summary>Calls of one postcommit hook at once.</summary>
    public int Tellers { get; init; } = 4;

    /// <summary>Between the attempts to tell a hook of a write; after the last it is dropped.</summary>
    public ImmutableArray<TimeSpan> Retries { get; init; } = [TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];
}
