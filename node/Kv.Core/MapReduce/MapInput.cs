using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>What a map function is given: an object with its siblings, or none where there is none, or only tombstones.</summary>
/// <param name="Key">The object's name.</param>
/// <param name="KeyData">What the input had beside it.</param>
/// <param name="Object">Null for what is not there.</param>
/// <param name="MostBytes">What may be made of it at most.</param>
public sealed record MapInput(ObjectKey Key, Term? KeyData, KvObject? Object, long MostBytes)
{
    /// <summary>Of the siblings that live the value of the one that a bucket without siblings would keep; null where there is no object. Riak's functions fail with an object that has siblings.</summary>
    public ReadOnlyMemory<byte>? Value => Object is null ? (ReadOnlyMemory<byte>?)null : ObjectMerge.Newest([.. Object.Siblings.Where(sibling => !sibling.IsTombstone)]).Value;

    public Term.Missing Missing => new(Key, KeyData);
}
