namespace Kv.Client;

/// <summary>What a read found: every current value, and the context to hand back with the next write of the key.</summary>
/// <param name="Siblings">At least one.</param>
/// <param name="Context">Opaque. A put that carries it replaces exactly these siblings.</param>
public sealed record KvObjectView(IReadOnlyList<KvSibling> Siblings, ReadOnlyMemory<byte> Context)
{
    /// <summary>The value where there is no conflict; throws <see cref="InvalidOperationException"/> where there are siblings to be resolved.</summary>
    public ReadOnlyMemory<byte> Value => Siblings.Count == 1
        ? Siblings[0].Content.Value
        : throw new InvalidOperationException($"the object has {Siblings.Count} siblings: choose among them, and put the result with the context");
}
