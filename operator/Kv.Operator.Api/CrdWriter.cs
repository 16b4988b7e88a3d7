using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using k8s.Models;
using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Schema;

namespace Kv.Operator.Api;

/// <summary>
/// Types → CustomResourceDefinitions as YAML: sorted and stable, so that the checked-in files can be compared. Refuses a rule that looks
/// at a class with unbounded strings, lists or maps, since the API server would refuse its estimated cost.
/// </summary>
public static class CrdWriter
{
    /// <summary>A bound below the 256 KiB that client-side apply can keep in an annotation.</summary>
    public const int MaxBytes = 200 * 1024;

    /// <summary>Our kinds.</summary>
    public static IReadOnlyList<Type> Kinds { get; } = [typeof(Clusters.Cluster), typeof(BucketTypes.BucketType)];

    /// <summary>File name → text, of all kinds.</summary>
    public static IReadOnlyDictionary<string, string> WriteAll() =>
        Kinds.ToDictionary(kind => Entity(kind).Kind.ToLowerInvariant() + ".yaml", kind => Write(kind), StringComparer.Ordinal);

    public static string Write(Type kind)
    {
        var text = "# Generated from operator/Kv.Operator.Api by `kv-operator crds`; change the types and generate it again.\n" + YamlWriter.Write(ToCrd(kind));
        return text.Length <= MaxBytes ? text : throw new InvalidOperationException($"the CRD of {kind.Name} has {text.Length} characters, more than {MaxBytes}: too large to apply");
    }

    /// <summary>The schema of the part of an object that people write.</summary>
    public static SchemaNode SpecSchema(Type kind) => SchemaBuilder.Build(kind.GetProperty("Spec")!.PropertyType);

    /// <summary>The rules of the object itself, which may look at its name.</summary>
    internal static IReadOnlyList<SchemaRule> RootRules(Type kind) => SchemaBuilder.RulesOf(kind);

    public static JsonObject ToCrd(Type kind)
    {
        var entity = Entity(kind);
        var singular = entity.Kind.ToLowerInvariant();
        var scale = kind.GetCustomAttribute<ScaleSubresourceAttribute>();
        var subresources = new JsonObject();
        if (scale is not null)
        {
            subresources["scale"] = new JsonObject
            {
                ["labelSelectorPath"] = scale.LabelSelectorPath,
                ["specReplicasPath"] = scale.SpecReplicasPath,
                ["statusReplicasPath"] = scale.StatusReplicasPath,
            };
        }

        subresources["status"] = new JsonObject();
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = $"{entity.PluralName}.{entity.Group}" },
            ["spec"] = new JsonObject
            {
                ["group"] = entity.Group,
                ["names"] = new JsonObject
                {
                    ["categories"] = Strings(kind.GetCustomAttribute<CategoriesAttribute>()?.Categories ?? []),
                    ["kind"] = entity.Kind,
                    ["listKind"] = entity.Kind + "List",
                    ["plural"] = entity.PluralName,
                    ["shortNames"] = Strings(kind.GetCustomAttribute<KubernetesEntityShortNamesAttribute>()?.ShortNames ?? []),
                    ["singular"] = singular,
                },
                ["scope"] = "Namespaced",
                ["versions"] = new JsonArray(new JsonObject
                {
                    ["additionalPrinterColumns"] = new JsonArray([.. kind.GetCustomAttributes<GenericAdditionalPrinterColumnAttribute>().Select(Column)]),
                    ["name"] = entity.ApiVersion,
                    ["schema"] = new JsonObject { ["openAPIV3Schema"] = RootSchema(kind) },
                    ["served"] = true,
                    ["storage"] = true,
                    ["subresources"] = subresources,
                }),
            },
        };
    }

    private static JsonObject RootSchema(Type kind)
    {
        var (spec, status, rules) = (SpecSchema(kind), SchemaBuilder.Build(kind.GetProperty("Status")!.PropertyType), RootRules(kind));
        if (rules.Count > 0)
        {
            RequireBounds(spec, ".spec");
            RequireBounds(status, ".status");
        }

        var root = new JsonObject
        {
            ["description"] = kind.GetCustomAttribute<DescriptionAttribute>()?.Description,
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["type"] = "string" },
                ["kind"] = new JsonObject { ["type"] = "string" },
                ["metadata"] = new JsonObject { ["type"] = "object" },
                ["spec"] = ToJson(spec),
                ["status"] = ToJson(status),
            },
            ["required"] = new JsonArray("spec"),
            ["type"] = "object",
        };
        AddRules(root, rules);
        return root;
    }

    /// <summary>A schema as the API server reads it.</summary>
    public static JsonObject ToJson(SchemaNode node)
    {
        if (node.Rules.Count > 0)
        {
            RequireBounds(node, "");
        }

        var json = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        Put(json, "additionalProperties", node.Values is null ? null : ToJson(node.Values));
        Put(json, "anyOf", node.IntOrString ? new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }) : null);
        Put(json, "default", node.Default?.DeepClone());
        Put(json, "description", node.Description);
        Put(json, "enum", node.Enum is null ? null : new JsonArray([.. node.Enum.Select(value => value is int number ? JsonValue.Create(number) : (JsonNode)Convert.ToString(value, CultureInfo.InvariantCulture)!)]));
        Put(json, "format", node.Format);
        Put(json, "items", node.Items is null ? null : ToJson(node.Items));
        Put(json, "maxItems", node.Values is null ? node.MaxItems : null);
        Put(json, "maxLength", node.MaxLength);
        Put(json, "maxProperties", node.Values is null ? null : node.MaxItems);
        Put(json, "maximum", node.Maximum);
        Put(json, "minItems", node.MinItems);
        Put(json, "minLength", node.MinLength);
        Put(json, "minimum", node.Minimum);
        Put(json, "pattern", node.Pattern);
        Put(json, "properties", node.Properties is null ? null : new JsonObject(node.Properties.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)ToJson(pair.Value)))));
        Put(json, "required", node.Required.Count == 0 ? null : Strings(node.Required));
        Put(json, "type", node.Type);
        Put(json, "x-kubernetes-int-or-string", node.IntOrString ? true : null);
        Put(json, "x-kubernetes-list-map-keys", node.ListMapKeys is null ? null : Strings(node.ListMapKeys));
        Put(json, "x-kubernetes-list-type", node.ListType);
        Put(json, "x-kubernetes-preserve-unknown-fields", node.PreserveUnknown ? true : null);
        var result = new JsonObject(json);
        AddRules(result, node.Rules);
        return result;
    }

    private static void Put(SortedDictionary<string, JsonNode?> json, string key, JsonNode? value)
    {
        if (value is not null)
        {
            json[key] = value;
        }
    }

    private static void AddRules(JsonObject json, IReadOnlyList<SchemaRule> rules)
    {
        if (rules.Count > 0)
        {
            // No field path: API servers before 1.28 refuse a schema that has one.
            json["x-kubernetes-validations"] = new JsonArray([.. rules.Select(rule => new JsonObject { ["message"] = rule.Message, ["rule"] = rule.Rule })]);
        }
    }

    /// <summary>Throws if a string, list or map that a rule of <paramref name="node"/> can reach has no upper bound.</summary>
    internal static void RequireBounds(SchemaNode node, string path)
    {
        var isFree = (node.Type == "string" || node.IntOrString) && node.MaxLength is null && node.Enum is null && node.Format != "date-time"
            || (node.Type == "array" || node.Values is not null) && node.MaxItems is null;
        if (isFree && !node.PreserveUnknown)
        {
            throw new InvalidOperationException($"{path} has no upper bound, but a rule touches it: give it [Length], [ItemLength] or [Items]");
        }

        foreach (var (name, child) in node.Properties ?? new Dictionary<string, SchemaNode>())
        {
            RequireBounds(child, $"{path}.{name}");
        }

        foreach (var child in new[] { node.Items, node.Values }.OfType<SchemaNode>())
        {
            RequireBounds(child, path + "[]");
        }
    }

    private static JsonObject Column(GenericAdditionalPrinterColumnAttribute column)
    {
        var json = new JsonObject();
        if (column.Description is not null)
        {
            json["description"] = column.Description;
        }

        json["jsonPath"] = column.JsonPath;
        json["name"] = column.Name;
        if (column.Priority > 0)
        {
            json["priority"] = column.Priority;
        }

        json["type"] = column.Type;
        return json;
    }

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);

    private static KubernetesEntityAttribute Entity(Type kind) =>
        kind.GetCustomAttribute<KubernetesEntityAttribute>() ?? throw new InvalidOperationException($"{kind.Name} has no [KubernetesEntity]");
}
