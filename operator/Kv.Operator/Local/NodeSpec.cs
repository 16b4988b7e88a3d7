using System.Collections.Immutable;

namespace Kv.Operator.Local;

/// <summary>A node that should run: its name and zone, its ports, and its further settings by option name.</summary>
internal sealed record NodeSpec(string Name, string Zone, IReadOnlyDictionary<string, int> Ports, ImmutableSortedDictionary<string, string> Settings)
{
    /// <summary>Changes when somebody wants the node to start again though nothing about it changed.</summary>
    public string RestartReason { get; init; } = "";

    /// <summary>Which one of its zone it is.</summary>
    public int Ordinal { get; init; }

    public const string Host = "127.0.0.1";

    public string AddressOf(string protocol) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Host}:{Ports[protocol]}");

    public IEnumerable<string> Arguments(string dataDirectory)
    {
        string[] fixedOnes = ["--name", Name, "--data", dataDirectory, "--listen", Host, "--advertise", Host];
        var zone = Zone.Length == 0 ? [] : new[] { "--zone", Zone };
        var ports = Ports.SelectMany(port => new[] { $"--{port.Key}-port", port.Value.ToString(System.Globalization.CultureInfo.InvariantCulture) });
        return [.. fixedOnes, .. zone, .. ports, .. Settings.SelectMany(setting => new[] { $"--{setting.Key}", setting.Value })];
    }
}
