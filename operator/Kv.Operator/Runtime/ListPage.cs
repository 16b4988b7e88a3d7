using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>Part of a list; <paramref name="ContinueToken"/> is null with the last.</summary>
internal sealed record ListPage(IReadOnlyList<JsonObject> Items, string ResourceVersion, string? ContinueToken);
