using System.Collections.Immutable;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>A node that should run: its name and zone, its ports, and its further settings by option name.</summary>
internal sealed record NodeSpec(string Name, string Zone, IReadOnlyDictionary<string, int> Ports, ImmutableSortedDictionary<string, string> Settings)
{
    /// <summary>Changes when somebody wants the node to start again though nothing about it changed.</summary>
    public string RestartReason { get; init; } = "";

    /// <summary>Where nodes of its cluster may be found, whatever they remember of each other. Another list restarts nothing.</summary>
    public ImmutableArray<string> Seeds { get; init; } = [];

    /// <summary>Which one of its zone it is.</summary>
    public int Ordinal { get; init; }

    public const string Host = "127.0.0.1";

    public string AddressOf(string protocol) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Host}:{Ports[protocol]}");

    /// <summary>Its ports and seeds, as a pod gets them: a program that is older than this one, in an upgrade, does not know each of them, and passes over a variable.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables => Ports
        .Select(port => KeyValuePair.Create(ConfigMaps.VariableName(port.Key + "-port"), port.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)))
        .Append(KeyValuePair.Create(ConfigMaps.VariableName("seeds"), string.Join(',', Seeds)));

    public IEnumerable<string> Arguments(string dataDirectory)
    {
        string[] fixedOnes = ["--name", Name, "--data", dataDirectory, "--listen", Host, "--advertise", Host];
        var zone = Zone.Length == 0 ? [] : new[] { "--zone", Zone };
        return [.. fixedOnes, .. zone, .. Settings.SelectMany(setting => new[] { $"--{setting.Key}", setting.Value })];
    }
}
