using Kv.Storage.Log;

namespace Kv.Storage.Faster;

/// <summary>A record that says all in its header.</summary>
internal sealed class EmptyPayload : ILogPayload
{
    public static EmptyPayload Instance { get; } = new();

    public int Length => 0;

    public void CopyTo(Span<byte> target)
    {
        // Nothing to copy.
    }
}
