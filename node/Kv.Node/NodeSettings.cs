using System.Globalization;
using System.Text.Json;

namespace Kv.Node;

/// <summary>Settings as texts by name, gathered from the command line, the environment and a file, before anything is checked.</summary>
public sealed class NodeSettings
{
    private const int MaxFileBytes = 1024 * 1024;
    private const string VariablePrefix = "KV_";
    private const string ConfigVariable = "KV_CONFIG";

    private readonly Dictionary<string, Given> values = new(StringComparer.Ordinal);
    private readonly List<string> problems = [];

    private NodeSettings()
    {
    }

    /// <summary>A setting's text and where it was found: `--peer-port`, `KV_PEER_PORT`, `node.conf line 3`.</summary>
    public readonly record struct Given(string Text, string Source);

    public IReadOnlyDictionary<string, Given> Values => values;

    public IReadOnlyList<string> Problems => problems;

    public bool HelpAsked { get; private set; }

    public bool VersionAsked { get; private set; }

    /// <summary>
    /// Variables that look like settings and are none. Told and not refused: an environment is shared, with tools of ours and with what Kubernetes adds for a Service that is called kv.
    /// </summary>
    public IReadOnlyList<string> UnknownVariables { get; private init; } = [];

    /// <summary>Reads all sources. Never throws: what is wrong is among the problems.</summary>
    public static NodeSettings Read(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, Func<string, string> readFile)
    {
        var settings = new NodeSettings { UnknownVariables = [.. environment.Keys.Where(IsUnknown).Order(StringComparer.Ordinal)] };
        var commandLine = settings.ReadCommandLine(arguments);
        var file = commandLine.GetValueOrDefault("config").Text ?? environment.GetValueOrDefault(ConfigVariable);
        if (!string.IsNullOrEmpty(file))
        {
            settings.ReadFile(file, readFile);
        }

        foreach (var setting in NodeSettingNames.All)
        {
            if (environment.GetValueOrDefault(setting.EnvironmentName) is { Length: > 0 } text)
            {
                settings.values[setting.Name] = new Given(text, setting.EnvironmentName);
            }
        }

        foreach (var (name, given) in commandLine.Where(pair => pair.Key != "config"))
        {
            settings.values[name] = given;
        }

        return settings;
    }

    private static bool IsUnknown(string variable) =>
        variable.StartsWith(VariablePrefix, StringComparison.Ordinal) && variable != ConfigVariable && NodeSettingNames.All.All(setting => setting.EnvironmentName != variable);

    private static bool IsKnown(string name) => NodeSettingNames.All.Any(setting => setting.Name == name);

    private Dictionary<string, Given> ReadCommandLine(IReadOnlyList<string> arguments)
    {
        var found = new Dictionary<string, Given>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument is "--help" or "-h")
            {
                HelpAsked = true;
                continue;
            }

            if (argument == "--version")
            {
                VersionAsked = true;
                continue;
            }

            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                problems.Add($"`{argument}` is not a setting (see --help)");
                continue;
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            if (name != "config" && !IsKnown(name))
            {
                problems.Add($"--{name} is not a setting (see --help)");
                i += equals < 0 && i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal) ? 1 : 0;
            }
            else if (equals < 0 && (i + 1 == arguments.Count || arguments[i + 1].StartsWith("--", StringComparison.Ordinal)))
            {
                problems.Add($"--{name} needs a value");
            }
            else if (!found.TryAdd(name, new Given(equals < 0 ? arguments[++i] : argument[(equals + 1)..], "--" + name)))
            {
                problems.Add($"--{name} is given twice");
            }
        }

        return found;
    }

    private void ReadFile(string file, Func<string, string> readFile)
    {
        string text;
        try
        {
            text = readFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problems.Add($"config file {file} cannot be read: {e.Message}");
            return;
        }

        if (text.Length > MaxFileBytes)
        {
            problems.Add($"config file {file} is longer than {MaxFileBytes} bytes");
        }
        else if (text.TrimStart().StartsWith('{'))
        {
            ReadJson(file, text);
        }
        else
        {
            ReadLines(file, text);
        }
    }

    private void ReadLines(string file, string text)
    {
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var source = string.Create(CultureInfo.InvariantCulture, $"{file} line {number}");
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                problems.Add($"{source}: `{line}` is not `setting = value`");
                continue;
            }

            Take(line[..equals].Trim(), line[(equals + 1)..].Trim(), source);
        }
    }

    private void ReadJson(string file, string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
                {
                    Take(property.Name, property.Value.ToString(), file);
                }
                else
                {
                    problems.Add($"{file}: {property.Name} must be a text or a number");
                }
            }
        }
        catch (JsonException e)
        {
            problems.Add($"config file {file} is not JSON: {e.Message}");
        }
    }

    private void Take(string name, string text, string source)
    {
        if (!IsKnown(name))
        {
            problems.Add($"{source}: {name} is not a setting");
        }
        else if (!values.TryAdd(name, new Given(text, source)))
        {
            problems.Add($"{source}: {name} is given twice");
        }
    }
}
