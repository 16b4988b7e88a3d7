using System.Collections.Immutable;

namespace Kv.Operator;

/// <summary>Settings of the operator on Kubernetes, from the environment: the chart sets them.</summary>
internal sealed record OperatorOptions
{
    /// <summary><c>KV_OPERATOR_NODE_IMAGE</c>: of nodes whose spec names none.</summary>
    public required string NodeImage { get; init; }

    /// <summary><c>KV_OPERATOR_WATCH_NAMESPACES</c>, separated by commas; none: all.</summary>
    public ImmutableArray<string> WatchNamespaces { get; init; } = [];

    /// <summary><c>KV_OPERATOR_LEASE_NAME</c>.</summary>
    public string LeaseName { get; init; } = "kv-operator";

    /// <summary><c>POD_NAMESPACE</c>: where the lease is.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary><c>POD_NAME</c>: who holds the lease.</summary>
    public string Identity { get; init; } = Environment.MachineName;

    /// <summary><c>KV_OPERATOR_LOG_LEVEL</c>: debug, info, warning or error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary><c>KV_OPERATOR_LOG_FORMAT</c>: text or json.</summary>
    public bool JsonLog { get; init; }

    /// <summary><c>KV_OPERATOR_PORT</c>: of metrics and health.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>All that is wrong is reported at once.</summary>
    public static OperatorOptions Read(Func<string, string?> environment, string version)
    {
        var problems = new List<string>();
        string? Text(string name) => environment(name) is { Length: > 0 } text ? text : null;
        var level = Text("KV_OPERATOR_LOG_LEVEL") ?? "info";
        var format = Text("KV_OPERATOR_LOG_FORMAT") ?? "text";
        var portText = Text("KV_OPERATOR_PORT") ?? "8080";
        LogLevel? logLevel = level switch
        {
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => null,
        };
        if (logLevel is null)
        {
            problems.Add($"KV_OPERATOR_LOG_LEVEL must be debug, info, warning or error, not {level}");
        }

        if (format is not ("text" or "json"))
        {
            problems.Add($"KV_OPERATOR_LOG_FORMAT must be text or json, not {format}");
        }

        if (!int.TryParse(portText, out var port) || port is < 0 or > 65535)
        {
            problems.Add($"KV_OPERATOR_PORT must be 0 to 65535, not {portText}");
        }

        if (problems.Count > 0)
        {
            throw new WorldException(string.Join("; ", problems));
        }

        return new OperatorOptions
        {
            NodeImage = Text("KV_OPERATOR_NODE_IMAGE") ?? $"kv-node:{version}",
            WatchNamespaces = [.. (Text("KV_OPERATOR_WATCH_NAMESPACES") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
            LeaseName = Text("KV_OPERATOR_LEASE_NAME") ?? "kv-operator",
            Namespace = Text("POD_NAMESPACE") ?? "default",
            Identity = $"{Text("POD_NAME") ?? Environment.MachineName}_{Guid.NewGuid():N}",
            LogLevel = logLevel!.Value,
            JsonLog = format == "json",
            Port = port,
        };
    }
}
