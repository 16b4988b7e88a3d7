using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Schema;

/// <summary>
/// Types → structural schema, as KubeOps' transpiler maps them. Defaults are what a new instance of a class has, so that the code and the
/// API server cannot disagree about them. Fails on a type that it does not know, on a class that contains itself, and on a rule without its predicate.
/// </summary>
public static class SchemaBuilder
{
    private static readonly Dictionary<Type, (string Type, string? Format)> Scalars = new()
    {
        [typeof(string)] = ("string", null),
        [typeof(bool)] = ("boolean", null),
        [typeof(int)] = ("integer", "int32"),
        [typeof(long)] = ("integer", "int64"),
        [typeof(DateTimeOffset)] = ("string", "date-time"),
    };

    private static readonly ConcurrentDictionary<Type, SchemaNode> Built = new();

    public static SchemaNode Build(Type type) => Built.GetOrAdd(type, one => OfClass(one, []));

    private static SchemaNode OfClass(Type type, IReadOnlyList<Type> outer)
    {
        if (outer.Contains(type))
        {
            throw new InvalidOperationException($"{type} contains itself: a CRD schema cannot say that");
        }

        var example = Activator.CreateInstance(type)!;
        var properties = new SortedDictionary<string, SchemaNode>(StringComparer.Ordinal);
        var required = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var property in SettableProperties(type))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var isRequired = property.GetCustomAttribute<RequiredAttribute>() is not null;
            if (isRequired)
            {
                required.Add(name);
            }

            properties[name] = OfProperty(property, isRequired ? null : property.GetValue(example), [.. outer, type]);
        }

        return new SchemaNode
        {
            Type = "object",
            Description = type.GetCustomAttribute<DescriptionAttribute>()?.Description,
            Properties = properties,
            Required = [.. required],
            Rules = RulesOf(type),
        };
    }

    internal static IReadOnlyList<SchemaRule> RulesOf(Type type) => [.. type.GetCustomAttributes<ValidationRuleAttribute>().Select(rule => ToRule(type, rule))];

    /// <summary>Those that a document can set, in no order that matters.</summary>
    internal static IEnumerable<PropertyInfo> SettableProperties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true });

    private static SchemaNode OfProperty(PropertyInfo property, object? value, IReadOnlyList<Type> outer)
    {
        var node = OfType(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property, outer);
        return node with
        {
            Description = property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? node.Description,
            Default = DefaultOf(node, value),
            PreserveUnknown = property.GetCustomAttribute<PreserveUnknownFieldsAttribute>() is not null,
        };
    }

    private static SchemaNode OfType(Type type, PropertyInfo property, IReadOnlyList<Type> outer)
    {
        var items = property.GetCustomAttribute<ItemsAttribute>();
        if (type == typeof(JsonObject))
        {
            return new SchemaNode { Type = "object" };
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>))
        {
            return new SchemaNode
            {
                Type = "array",
                Items = OfElement(type.GetGenericArguments()[0], property, outer),
                MinItems = items?.MinItems is > 0 ? items.MinItems : null,
                MaxItems = items?.MaxItems,
                ListType = property.GetCustomAttribute<XListTypeAttribute>()?.Type,
                ListMapKeys = property.GetCustomAttribute<XListMapKeysAttribute>()?.Keys,
            };
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>) && type.GetGenericArguments()[0] == typeof(string))
        {
            return new SchemaNode { Type = "object", Values = OfElement(type.GetGenericArguments()[1], property, outer), MaxItems = items?.MaxItems };
        }

        return IsScalar(type) ? OfScalar(type, property, property.GetCustomAttribute<LengthAttribute>() is { } length ? (length.MinLength, length.MaxLength) : null)
            : OfClass(type, outer);
    }

    private static SchemaNode OfElement(Type type, PropertyInfo property, IReadOnlyList<Type> outer) => IsScalar(type)
        ? OfScalar(type, property, property.GetCustomAttribute<ItemLengthAttribute>() is { } length ? (length.MinLength, length.MaxLength) : null)
        : OfClass(type, outer);

    private static bool IsScalar(Type type) => type.IsEnum || type == typeof(IntOrString) || Scalars.ContainsKey(type);

    private static SchemaNode OfScalar(Type type, PropertyInfo property, (int Min, int Max)? length)
    {
        var isNumber = type == typeof(int) || type == typeof(long) || type == typeof(IntOrString);
        var (name, format) = type.IsEnum ? ("string", null) : type == typeof(IntOrString) ? (null, null) : Scalars[type];
        return new SchemaNode
        {
            Type = name,
            Format = format,
            IntOrString = type == typeof(IntOrString),
            Enum = type.IsEnum ? type.GetEnumNames() : property.GetCustomAttribute<EnumValuesAttribute>()?.Values,
            Pattern = property.GetCustomAttribute<PatternAttribute>()?.Pattern,
            MinLength = length?.Min is > 0 ? length.Value.Min : null,
            MaxLength = length?.Max,
            Minimum = isNumber ? property.GetCustomAttribute<RangeMinimumAttribute>()?.Minimum : null,
            Maximum = isNumber ? property.GetCustomAttribute<RangeMaximumAttribute>()?.Maximum : null,
        };
    }

    private static JsonNode? DefaultOf(SchemaNode node, object? value) => value switch
    {
        null => null,
        _ when node.Properties is not null => new JsonObject(),
        Enum text => JsonValue.Create(text.ToString()),
        IntOrString either => int.TryParse((string)either, out var number) ? JsonValue.Create(number) : JsonValue.Create((string)either),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        int number => JsonValue.Create(number),
        _ => null,
    };

    private static SchemaRule ToRule(Type type, ValidationRuleAttribute rule)
    {
        var method = type.GetMethod(rule.Predicate, BindingFlags.Public | BindingFlags.Static)
            ?? throw new InvalidOperationException($"{type.Name} has no public static method {rule.Predicate} for its rule `{rule.Rule}`");
        var isTransition = method.GetParameters().Length == 2;
        if (isTransition != rule.Rule.Contains("oldSelf", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{type.Name}.{rule.Predicate} and its rule `{rule.Rule}` must both look at the value before, or neither");
        }

        return new SchemaRule(
            rule.Rule,
            rule.Message,
            rule.FieldPath,
            isTransition,
            (self, old) => (bool)method.Invoke(null, isTransition ? [self, old] : [self])!);
    }
}
