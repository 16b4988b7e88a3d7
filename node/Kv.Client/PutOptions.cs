using Kv.Core.Quorum;

namespace Kv.Client;

/// <summary>Options of a put (Riak KV, `PUT` query parameters).</summary>
public sealed record PutOptions : RequestOptions
{
    /// <summary>What the writer has read: the put replaces that and nothing it did not see. Empty for a fresh write.</summary>
    public ReadOnlyMemory<byte> Context { get; init; }

    public QuorumValue W { get; init; } = QuorumValue.Default;

    /// <summary>Replicas that must have it on disk.</summary>
    public QuorumValue Dw { get; init; } = QuorumValue.Default;

    public QuorumValue Pw { get; init; } = QuorumValue.Default;

    public bool ReturnBody { get; init; }

    public bool ReturnHead { get; init; }

    /// <summary>Only if there is no value. A read before the write, not a lock: two at once may both succeed.</summary>
    public bool IfNoneMatch { get; init; }

    /// <summary>Only if the object still has <see cref="Context"/>. A read before the write, not a lock.</summary>
    public bool IfNotModified { get; init; }

    /// <summary>
    /// Stored as it is, under the clock of <see cref="Context"/> and without an event of its own: for copies of an object from elsewhere. It replaces what that clock
    /// covers, becomes a sibling of what it does not, and is lost on what covers it. A fresh write without a context wants <c>false</c>.
    /// </summary>
    public bool AsIs { get; init; }
}
