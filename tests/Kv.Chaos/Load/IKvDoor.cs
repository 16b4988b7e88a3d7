using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>One kind of client. Each failure is a <see cref="DoorException"/>; a context is the door's own and goes back through the same door.</summary>
internal interface IKvDoor
{
    string Name { get; }

    /// <summary>Whether a put hands its context on; if not it replaces nothing.</summary>
    bool PutsWithContext => true;

    /// <summary>Whether it takes conditions and quorums of primaries.</summary>
    bool HasTerms => true;

    /// <param name="fromPrimaries">Answered by no fewer than a majority of the key's primaries.</param>
    Task<DoorRead> GetAsync(ObjectKey key, bool fromPrimaries);

    /// <summary>Acknowledged when it returns. Never tried again by itself where it may have taken effect. Returns by which node, as far as the client knows.</summary>
    Task<string> PutAsync(ObjectKey key, DoorPut put);

    Task DeleteAsync(ObjectKey key, string? context);
}
