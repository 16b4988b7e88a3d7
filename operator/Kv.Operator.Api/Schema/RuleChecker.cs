using System.Collections;
using System.Text.Json;

namespace Kv.Operator.Api.Schema;

/// <summary>Runs the rules of a class, and of the classes inside it, as predicates: what CEL does in an API server.</summary>
public static class RuleChecker
{
    /// <summary>Problems of <paramref name="self"/>; transition rules are run only where <paramref name="old"/> is given and has the same part.</summary>
    public static IReadOnlyList<SchemaProblem> Check(object self, object? old, string field)
    {
        var problems = new List<SchemaProblem>();
        Walk(SchemaBuilder.Build(self.GetType()), self, old, field, problems);
        return problems;
    }

    private static void Walk(SchemaNode schema, object self, object? old, string field, List<SchemaProblem> problems)
    {
        foreach (var rule in schema.Rules.Where(rule => !rule.IsTransition || old is not null))
        {
            if (!rule.Holds(self, old))
            {
                problems.Add(new SchemaProblem((field + rule.FieldPath).TrimStart('.'), rule.Message));
            }
        }

        if (schema.Properties is null)
        {
            return;
        }

        foreach (var property in SchemaBuilder.SettableProperties(self.GetType()))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var value = property.GetValue(self);
            if (value is null || !schema.Properties.TryGetValue(name, out var child))
            {
                continue;
            }

            if (child.Properties is not null)
            {
                Walk(child, value, old is null ? null : property.GetValue(old), $"{field}.{name}", problems);
            }
            else if (child.Items?.Properties is not null && value is IEnumerable list)
            {
                var index = 0;
                foreach (var item in list)
                {
                    // Items of a list have no "before": the API server pairs them by key, and none of our item classes has a transition rule.
                    Walk(child.Items, item, null, $"{field}.{name}[{index++}]", problems);
                }
            }
        }
    }

    /// <summary>The rules of a whole object: its own, and those of its spec.</summary>
    public static IReadOnlyList<SchemaProblem> CheckEntity<TSpec, TStatus>(Entities.CustomKubernetesEntity<TSpec, TStatus> self, Entities.CustomKubernetesEntity<TSpec, TStatus>? old)
        where TSpec : new()
        where TStatus : new()
    {
        var ofRoot = CrdWriter.RootRules(self.GetType())
            .Where(rule => !rule.IsTransition || old is not null)
            .Where(rule => !rule.Holds(self, old))
            .Select(rule => new SchemaProblem((rule.FieldPath ?? "").TrimStart('.'), rule.Message));
        return [.. ofRoot, .. Check(self.Spec!, old is null ? null : old.Spec, "spec")];
    }
}
