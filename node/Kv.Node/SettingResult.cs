namespace Kv.Node;

/// <summary>The options with a setting applied, or why its text will not do.</summary>
public readonly record struct SettingResult(NodeOptions Options, string? Problem)
{
    public static SettingResult Ok(NodeOptions options) => new(options, null);

    public static SettingResult Bad(NodeOptions options, string problem) => new(options, problem);
}
