using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cel;
using Kv.Operator.Local;

namespace Kv.Operator.Tests.Stubs;

/// <summary>
/// What an API server does with the `x-kubernetes-validations` of a schema: each is run, by a CEL that is not ours, on each value that it stands at, and where it looks at the value before, only
/// where there is one. Of an item that is the one with the same keys; items of a list that has no keys have none, and a rule there that asks for it is refused with its schema.
/// </summary>
internal sealed partial class CelServer
{
    private static readonly CelEnvironment Environment = new(null, null);
    private readonly JsonNode root;
    private readonly List<CelRule> rules = [];

    /// <param name="file">Of `crds/`.</param>
    public CelServer(string file)
        : this(YamlReader.Read(File.ReadAllText(Repository.PathOf($"crds/{file}"))).Single()["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!)
    {
    }

    public CelServer(JsonNode schema)
    {
        root = schema;
        Collect(schema, hasBefore: true);
    }

    public IReadOnlyList<CelRule> Rules => rules;

    /// <summary>Messages of the rules that refuse <paramref name="self"/>, sorted, and one for each value that is refused.</summary>
    public IReadOnlyList<string> Refuse(JsonNode self, JsonNode? old) => [.. Walk(root, self, old).Order(StringComparer.Ordinal)];

    private IEnumerable<string> Walk(JsonNode schema, JsonNode? self, JsonNode? old) => self is null
        ? []
        : rules.Where(rule => rule.Schema == schema && IsRefused(rule, self, old)).Select(rule => rule.Message)
            .Concat(Parts(schema, self, old).SelectMany(part => Walk(part.Schema, part.Self, part.Old)));

    private static IEnumerable<(JsonNode Schema, JsonNode? Self, JsonNode? Old)> Parts(JsonNode schema, JsonNode self, JsonNode? old)
    {
        foreach (var (name, value) in self as JsonObject ?? [])
        {
            if ((schema["properties"]?[name] ?? schema["additionalProperties"]) is { } inner)
            {
                yield return (inner, value, old?[name]);
            }
        }

        foreach (var item in self as JsonArray ?? [])
        {
            yield return (schema["items"]!, item, Before(schema, item, old as JsonArray));
        }
    }

    private static JsonNode? Before(JsonNode schema, JsonNode? item, JsonArray? old) =>
        KeysOf(schema) is { } keys ? old?.FirstOrDefault(one => keys.All(key => JsonNode.DeepEquals(one?[$"{key}"], item?[$"{key}"]))) : null;

    private static JsonArray? KeysOf(JsonNode schema) => schema["x-kubernetes-list-map-keys"]?.AsArray();

    private static bool IsRefused(CelRule rule, JsonNode self, JsonNode? old)
    {
        if (rule.IsTransition && old is null)
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

    private void Collect(JsonNode schema, bool hasBefore)
    {
        foreach (var one in schema["x-kubernetes-validations"]?.AsArray() ?? [])
        {
            var text = one!["rule"]!.ToString();
            var rule = new CelRule(ReferenceEquals(schema, root), text, one["message"]!.ToString(), schema, Environment.Compile(text));
            rules.Add(hasBefore || !rule.IsTransition ? rule : throw new InvalidOperationException($"`{text}` looks at the value before, and items of a list without keys have none"));
        }

        foreach (var (_, property) in schema["properties"]?.AsObject() ?? [])
        {
            Collect(property!, hasBefore);
        }

        if (schema["items"] is { } items)
        {
            Collect(items, hasBefore && KeysOf(schema) is not null);
        }

        if (schema["additionalProperties"] is JsonObject values)
        {
            Collect(values, hasBefore);
        }
    }

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
    internal sealed partial record CelRule(bool IsOfRoot, string Text, string Message, JsonNode Schema, CelProgramDelegate Run)
    {
        public bool IsTransition => Text.Contains("oldSelf", StringComparison.Ordinal);

        /// <summary>Fields that it names and the schema has not: an API server that checks types would refuse the CRD. Of an object itself it may look at nothing but names and its own.</summary>
        public IEnumerable<string> UnknownFields() => Fields().Matches(Text).Select(match => match.Groups[1].Value).Where(field => !IsKnown(field));

        private bool IsKnown(string field) =>
            (IsOfRoot && field is (".metadata.name" or ".metadata.generateName"))
            || field.Split('.', StringSplitOptions.RemoveEmptyEntries).Aggregate((JsonNode?)Schema, (at, name) => at?["properties"]?[name]) is not null;

        [GeneratedRegex(@"\b(?:self|oldSelf)((?:\.[a-zA-Z]+(?!\w*\())+)")]
        private static partial Regex Fields();
    }
}
