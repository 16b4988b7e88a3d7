namespace Kv.Node;

/// <summary>
/// One setting as people write it. <paramref name="Name"/> is the command line's and the file's; <paramref name="Apply"/> reads a text into the
/// options or answers what is wrong with it.
/// </summary>
public sealed record NodeSetting(string Name, string Placeholder, string Default, string Help, Func<NodeOptions, string, SettingResult> Apply)
{
    /// <summary>`peer-port` is `KV_PEER_PORT` in the environment.</summary>
    public string EnvironmentName => "KV_" + Name.Replace('-', '_').ToUpperInvariant();
}
