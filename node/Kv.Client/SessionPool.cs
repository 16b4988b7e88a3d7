using System.Collections.Concurrent;

namespace Kv.Client;

/// <summary>The sessions of a client by endpoint, and the one timer that ends their overdue operations.</summary>
internal sealed class SessionPool : IAsyncDisposable
{
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMilliseconds(20);

    private readonly KvClientOptions _options;
    private readonly ConcurrentDictionary<string, Lazy<NodeSession>> _sessions = new();
    private readonly ITimer _expiry;

    public SessionPool(KvClientOptions options)
    {
        _options = options;
        _expiry = options.Time.CreateTimer(_ => ExpireOverdue(), null, ExpiryInterval, ExpiryInterval);
    }

    public NodeSession For(string endpoint) =>
        _sessions.GetOrAdd(endpoint, static (key, options) => new Lazy<NodeSession>(() => new NodeSession(key, options)), _options).Value;

    /// <summary>Closes sessions to nodes that are no longer of the cluster.</summary>
    public async Task KeepOnlyAsync(IReadOnlySet<string> endpoints)
    {
        foreach (var (endpoint, _) in _sessions)
        {
            if (!endpoints.Contains(endpoint) && _sessions.TryRemove(endpoint, out var session) && session.IsValueCreated)
            {
                await session.Value.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _expiry.DisposeAsync().ConfigureAwait(false);
        await KeepOnlyAsync(new HashSet<string>()).ConfigureAwait(false);
    }

    private void ExpireOverdue()
    {
        foreach (var (_, session) in _sessions)
        {
            if (session.IsValueCreated)
            {
                session.Value.ExpireOverdue();
            }
        }
    }
}
