using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Kv.Operator.Api.Schema;

/// <summary>
/// What an API server does with a document of our kinds: fills in defaults and checks it against the schema. Unlike an API server's
/// default it refuses unknown fields, since a misspelt field would otherwise be lost without a word. All problems are reported at once, up to a bound.
/// </summary>
public static class SchemaValidator
{
    public const int MaxProblems = 50;

    /// <summary>Fills in the defaults of <paramref name="node"/> in place, depth first as the API server does.</summary>
    public static void ApplyDefaults(SchemaNode schema, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map when schema.Properties is not null:
                foreach (var (name, property) in schema.Properties)
                {
                    if (property.Default is not null && map[name] is null)
                    {
                        map[name] = property.Default.DeepClone();
                    }

                    ApplyDefaults(property, map[name]);
                }

                break;
            case JsonObject map when schema.Values is not null:
                foreach (var (_, value) in map)
                {
                    ApplyDefaults(schema.Values, value);
                }

                break;
            case JsonArray list when schema.Items is not null:
                foreach (var item in list)
                {
                    ApplyDefaults(schema.Items, item);
                }

                break;
        }
    }

    public static IReadOnlyList<SchemaProblem> Validate(SchemaNode schema, JsonNode? node, string field)
    {
        var problems = new List<SchemaProblem>();
        Check(schema, node, field, problems);
        return problems.Count <= MaxProblems ? problems : problems[..MaxProblems];
    }

    private static void Check(SchemaNode schema, JsonNode? node, string field, List<SchemaProblem> problems)
    {
        if (problems.Count > MaxProblems)
        {
            return;
        }

        switch (node)
        {
            case JsonObject map when schema.Type == "object":
                CheckObject(schema, map, field, problems);
                break;
            case JsonArray list when schema.Type == "array":
                CheckArray(schema, list, field, problems);
                break;
            case JsonValue value:
                CheckScalar(schema, value, field, problems);
                break;
            default:
                problems.Add(new SchemaProblem(field, $"must be {Wanted(schema)}, not {Kind(node)}"));
                break;
        }
    }

    private static void CheckObject(SchemaNode schema, JsonObject map, string field, List<SchemaProblem> problems)
    {
        if (schema.PreserveUnknown)
        {
            return;
        }

        if (schema.MaxItems < map.Count)
        {
            problems.Add(new SchemaProblem(field, $"has {map.Count} entries; at most {schema.MaxItems} are allowed"));
        }

        foreach (var name in schema.Required.Where(name => map[name] is null))
        {
            problems.Add(new SchemaProblem($"{field}.{name}", "must be given"));
        }

        foreach (var (name, value) in map)
        {
            var child = schema.Values ?? schema.Properties?.GetValueOrDefault(name);
            if (child is null)
            {
                problems.Add(new SchemaProblem($"{field}.{name}", "there is no such field" + NearName.Suggest(name, schema.Properties?.Keys)));
            }
            else if (value is not null)
            {
                Check(child, value, $"{field}.{name}", problems);
            }
        }
    }

    private static void CheckArray(SchemaNode schema, JsonArray list, string field, List<SchemaProblem> problems)
    {
        if (list.Count < schema.MinItems)
        {
            problems.Add(new SchemaProblem(field, $"has {list.Count} items; at least {schema.MinItems} are needed"));
        }

        if (list.Count > schema.MaxItems)
        {
            problems.Add(new SchemaProblem(field, $"has {list.Count} items; at most {schema.MaxItems} are allowed"));
        }

        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            Check(schema.Items!, list[i], $"{field}[{i}]", problems);
            var key = schema.ListMapKeys is { } names && list[i] is JsonObject item
                ? string.Join(",", names.Select(name => item[name]?.ToJsonString()))
                : schema.ListType == "set" ? list[i]?.ToJsonString() : null;
            if (key is not null && !keys.Add(key))
            {
                problems.Add(new SchemaProblem($"{field}[{i}]", $"{key} is there twice"));
            }
        }
    }

    private static void CheckScalar(SchemaNode schema, JsonValue value, string field, List<SchemaProblem> problems)
    {
        var kind = value.GetValueKind();
        var fits = kind switch
        {
            JsonValueKind.String => schema.Type == "string" || schema.IntOrString,
            JsonValueKind.Number => (schema.Type == "integer" || schema.IntOrString) && IsWhole(value),
            JsonValueKind.True or JsonValueKind.False => schema.Type == "boolean",
            _ => false,
        };
        if (!fits)
        {
            problems.Add(new SchemaProblem(field, $"must be {Wanted(schema)}, not {Kind(value)} ({value.ToJsonString()})"));
            return;
        }

        if (Complaint(schema, value, kind) is { } text)
        {
            problems.Add(new SchemaProblem(field, text));
        }
    }

    private static string? Complaint(SchemaNode schema, JsonValue value, JsonValueKind kind)
    {
        var text = kind == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
        if (schema.Enum is { } allowed && !allowed.Any(one => Convert.ToString(one, CultureInfo.InvariantCulture) == text))
        {
            return $"must be one of {string.Join(", ", allowed)}, not {text}";
        }

        if (kind == JsonValueKind.Number)
        {
            var number = Number(value);
            return number < schema.Minimum || number > schema.Maximum ? $"must be {Range(schema)}, not {text}" : null;
        }

        if (kind != JsonValueKind.String)
        {
            return null;
        }

        if (text.Length < schema.MinLength || text.Length > schema.MaxLength)
        {
            return $"must have {schema.MinLength ?? 0} to {schema.MaxLength} characters, not {text.Length}";
        }

        if (schema.Pattern is not null && !Regex.IsMatch(text, schema.Pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)))
        {
            return $"must match {schema.Pattern}, which {JsonValue.Create(text).ToJsonString()} does not";
        }

        return schema.Format == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _) ? "must be a date and time" : null;
    }

    private static bool IsWhole(JsonValue value) => decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && decimal.Truncate(number) == number && number is >= long.MinValue and <= long.MaxValue;

    private static decimal Number(JsonValue value) => decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string Range(SchemaNode schema) => (schema.Minimum, schema.Maximum) switch
    {
        ({ } min, { } max) => $"{min} to {max}",
        ({ } min, null) => $"at least {min}",
        (_, { } max) => $"at most {max}",
        _ => "a number",
    };

    private static string Wanted(SchemaNode schema) => schema switch
    {
        { IntOrString: true } => "a whole number or a string",
        { Type: "object" } => "an object",
        { Type: "array" } => "a list",
        { Type: "integer" } => "a whole number",
        { Type: "boolean" } => "true or false",
        _ => "a string",
    };

    private static string Kind(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        _ => "nothing",
    };
}
