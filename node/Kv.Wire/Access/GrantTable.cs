using System.Collections.Concurrent;
using Kv.Core.Security;

namespace Kv.Wire.Access;

/// <summary>
/// What users may do by one state, each worked out at its first request and remembered for as long as the state holds. One for all users, so that a user who is idle keeps no state that is
/// gone in memory. Safe to call from any thread.
/// </summary>
internal sealed class GrantTable(SecurityState state)
{
    private static long made;

    private readonly ConcurrentDictionary<string, UserGrants> users = new(StringComparer.Ordinal);

    public SecurityState State { get; } = state;

    /// <summary>From one; no two tables have the same.</summary>
    public long Number { get; } = Interlocked.Increment(ref made);

    // hot
    public UserGrants Of(string user) => users.GetOrAdd(user, static (name, state) => UserGrants.Of(state, name), State);
}
