using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>Which object of a kind.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(JsonObject item) => new(item["metadata"]?["namespace"]?.ToString() ?? "", item["metadata"]?["name"]?.ToString() ?? "");

    public override string ToString() => $"{Namespace}/{Name}";
}
