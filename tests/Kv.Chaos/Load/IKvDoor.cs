using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>One kind of client. Each failure is a <see cref="DoorException"/>; a context is the door's own and goes back through the same door.</summary>
internal interface IKvDoor
{
    string Name { get; }

    /// <summary>Whether a put hands its context on; if not it replaces nothing.</summary>
    bool PutsWithContext => true;

    Task<DoorRead> GetAsync(ObjectKey key);

    /// <summary>Acknowledged when it returns. Never tried again by itself where it may have taken effect. Returns by which node, as far as the client knows.</summary>
    Task<string> PutAsync(ObjectKey key, string value, string? context);

    Task DeleteAsync(ObjectKey key, string? context);
}
