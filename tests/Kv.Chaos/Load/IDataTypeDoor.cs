using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>One kind of client, of counters and sets. Each failure is a <see cref="DoorException"/>; an update is never tried again by itself where it may have taken effect.</summary>
internal interface IDataTypeDoor
{
    string Name { get; }

    /// <summary>0 where there is none.</summary>
    Task<long> CountAsync(ObjectKey key);

    Task IncrementAsync(ObjectKey key, long amount);

    Task<DoorRead> MembersAsync(ObjectKey key);

    Task AddAsync(ObjectKey key, string member);

    /// <summary>Takes away what a read with this context had seen of it.</summary>
    Task RemoveAsync(ObjectKey key, string member, string context);
}
