using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cel;
using Kv.Operator.Local;

namespace Kv.Operator.Tests.Stubs;

/// <summary>What an API server does with the `x-kubernetes-validations` of a checked-in CRD: each is run, by a CEL that is not ours, on the value that it stands at.</summary>
internal sealed partial class CelServer
{
    private static readonly CelEnvironment Environment = new(null, null);
    private readonly List<CelRule> rules = [];

    /// <param name="file">Of `crds/`.</param>
    public CelServer(string file)
    {
        var crd = YamlReader.Read(File.ReadAllText(Repository.PathOf($"crds/{file}"))).Single();
        Collect(crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!, []);
    }

    public IReadOnlyList<CelRule> Rules => rules;

    /// <summary>Messages of the rules that refuse <paramref name="self"/>, sorted; those that look at the value before are run only where there is one.</summary>
    public IReadOnlyList<string> Refuse(JsonNode self, JsonNode? old) =>
        [.. rules.Where(rule => IsRefused(rule, At(self, rule.Path), At(old, rule.Path))).Select(rule => rule.Message).Order(StringComparer.Ordinal)];

    private static bool IsRefused(CelRule rule, JsonNode? self, JsonNode? old)
    {
        if (self is null || (rule.IsTransition && old is null))
        {
            return false;
        }

        var variables = new Dictionary<string, object?> { ["self"] = ToCel(self) };
        if (rule.IsTransition)
        {
            variables["oldSelf"] = ToCel(old);
        }

        return rule.Run.Invoke(variables) is bool holds ? !holds : throw new InvalidOperationException($"`{rule.Text}` is neither true nor false");
    }

    private void Collect(JsonNode schema, IReadOnlyList<string> path)
    {
        foreach (var rule in schema["x-kubernetes-validations"]?.AsArray() ?? [])
        {
            var text = rule!["rule"]!.ToString();
            rules.Add(new CelRule(path, text, rule["message"]!.ToString(), schema, Environment.Compile(text)));
        }

        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            Collect(property!, [.. path, name]);
        }

        foreach (var inner in new[] { schema["items"], schema["additionalProperties"] }.OfType<JsonObject>())
        {
            Collect(inner, [.. path, "[]"]);
        }
    }

    /// <summary>No rule of ours stands inside a list or map: their parts have no one value before.</summary>
    private static JsonNode? At(JsonNode? node, IReadOnlyList<string> path) =>
        path.Aggregate(node, (at, name) => name == "[]" ? throw new NotSupportedException("rules inside lists and maps are not run here") : at?[name]);

    private static object? ToCel(JsonNode? node) => node switch
    {
        null => null,
        JsonObject map => map.ToDictionary(pair => pair.Key, pair => ToCel(pair.Value)),
        JsonArray list => list.Select(ToCel).ToList(),
        _ => node.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => long.Parse(node.ToString(), CultureInfo.InvariantCulture),
            _ => node.ToString(),
        },
    };

    /// <summary>A rule, and the schema that it stands at.</summary>
    internal sealed partial record CelRule(IReadOnlyList<string> Path, string Text, string Message, JsonNode Schema, CelProgramDelegate Run)
    {
        public bool IsTransition => Text.Contains("oldSelf", StringComparison.Ordinal);

        /// <summary>Fields that it names and the schema has not: an API server that checks types would refuse the CRD. Of an object itself it may look at nothing but names and its own.</summary>
        public IEnumerable<string> UnknownFields() => Fields().Matches(Text).Select(match => match.Groups[1].Value).Where(field => !IsKnown(field));

        private bool IsKnown(string field) =>
            (Path.Count == 0 && field is ".metadata.name" or ".metadata.generateName")
            || field.Split('.', StringSplitOptions.RemoveEmptyEntries).Aggregate((JsonNode?)Schema, (at, name) => at?["properties"]?[name]) is not null;

        [GeneratedRegex(@"\b(?:self|oldSelf)((?:\.[a-zA-Z]+(?!\w*\())+)")]
        private static partial Regex Fields();
    }
}
