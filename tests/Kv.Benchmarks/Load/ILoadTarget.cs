namespace Kv.Benchmarks.Load;

/// <summary>What load is put on.</summary>
internal interface ILoadTarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Processes that serve: their CPU counts as the servers'.</summary>
    IReadOnlyList<int> ServerPids { get; }

    /// <summary>A caller's own connection (or its share of one, as a client of this target would do it).</summary>
    ValueTask<ILoadConnection> ConnectAsync(int caller);
}
