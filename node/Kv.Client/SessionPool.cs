using System.Collections.Concurrent;

namespace Kv.Client;

/// <summary>The sessions of a client by endpoint, and the one timer that ends their overdue operations.</summary>
internal sealed class SessionPool : IAsyncDisposable
{
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMilliseconds(20);

    private readonly KvClientOptions _options;
    private readonly ConcurrentDictionary<string, Lazy<NodeSession>> _sessions = new();
    private readonly ConcurrentDictionary<NodeSession, Task> _leaving = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _expiry;
    private volatile bool _isDisposed;

    public SessionPool(KvClientOptions options)
    {
        _options = options;
        _expiry = options.Time.CreateTimer(_ => ExpireOverdue(), null, ExpiryInterval, ExpiryInterval);
    }

    /// <exception cref="ObjectDisposedException">All are closed, for good.</exception>
    public NodeSession For(string endpoint)
    {
        var session = _sessions.GetOrAdd(endpoint, static (key, options) => new Lazy<NodeSession>(() => new NodeSession(key, options)), _options);
        if (_isDisposed)
        {
            // Nobody closes it if it came after the others were.
            _sessions.TryRemove(KeyValuePair.Create(endpoint, session));
            throw new ObjectDisposedException(nameof(KvClusterClient));
        }

        return session.Value;
    }

    /// <summary>Gives out no session to a node that is no longer of the cluster; each is closed when what is under way on it has ended.</summary>
    public void KeepOnly(IReadOnlySet<string> endpoints)
    {
        foreach (var (session, closing) in _leaving)
        {
            if (closing.IsCompleted)
            {
                _leaving.TryRemove(session, out _);
            }
        }

        foreach (var (endpoint, _) in _sessions)
        {
            if (!endpoints.Contains(endpoint) && _sessions.TryRemove(endpoint, out var session))
            {
                _leaving[session.Value] = session.Value.CloseAsync(_stopping.Token);
            }
        }
    }

    /// <summary>Closes all at once: what is under way fails.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await _expiry.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        KeepOnly(new HashSet<string>());
        await Task.WhenAll(_leaving.Values).ConfigureAwait(false);
        _stopping.Dispose();
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

        foreach (var (session, _) in _leaving)
        {
            session.ExpireOverdue();
        }
    }
}
