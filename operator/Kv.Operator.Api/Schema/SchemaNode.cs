using System.Text.Json.Nodes;

namespace Kv.Operator.Api.Schema;

/// <summary>A node of a structural schema, built from a type by <see cref="SchemaBuilder"/>; the one thing that both the CRDs and <see cref="SchemaValidator"/> come from.</summary>
public sealed record SchemaNode
{
    /// <summary>object, array, string, integer, boolean; null where anything may stand or a number or a string.</summary>
    public string? Type { get; init; }

    public string? Format { get; init; }

    public string? Description { get; init; }

    public string? Pattern { get; init; }

    public IReadOnlyList<object>? Enum { get; init; }

    public long? MinLength { get; init; }

    public long? MaxLength { get; init; }

    public long? Minimum { get; init; }

    public long? Maximum { get; init; }

    public long? MinItems { get; init; }

    public long? MaxItems { get; init; }

    public JsonNode? Default { get; init; }

    public bool PreserveUnknown { get; init; }

    public bool IntOrString { get; init; }

    /// <summary>Of a list.</summary>
    public SchemaNode? Items { get; init; }

    /// <summary>Of a map.</summary>
    public SchemaNode? Values { get; init; }

    public IReadOnlyDictionary<string, SchemaNode>? Properties { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];

    public string? ListType { get; init; }

    public IReadOnlyList<string>? ListMapKeys { get; init; }

    public IReadOnlyList<SchemaRule> Rules { get; init; } = [];
}
