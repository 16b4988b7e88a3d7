namespace Kv.Operator.Local;

/// <summary>Settings of local mode.</summary>
internal sealed record LocalOptions
{
    /// <summary>Holds the manifests.</summary>
    public required string ManifestDirectory { get; init; }

    /// <summary>Holds the nodes' data, their logs, and what others read: endpoints, pids, status.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The executable of a node.</summary>
    public required string NodeBinary { get; init; }

    /// <summary>How long a node that ended by itself stays down, doubled with each time it ends soon again; null: it stays down.</summary>
    public TimeSpan? RestartAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long nodes have to end cleanly before they are killed.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Of the look at the manifests and processes.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromMilliseconds(200);
}
