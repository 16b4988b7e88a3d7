using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Schema;

namespace Kv.Operator.Clusters;

/// <summary>What a spec must satisfy by itself beyond its schema: the rules that API servers with CEL check too, and those that CEL cannot see. Pure.</summary>
internal static partial class ClusterRules
{
    /// <summary>What makes a spec one that nothing is done by.</summary>
    public static IReadOnlyList<SchemaProblem> Check(Cluster cluster)
    {
        var problems = new List<SchemaProblem>(RuleChecker.CheckEntity(cluster, null));
        if (!ServiceName().IsMatch(cluster.Metadata.Name ?? ""))
        {
            problems.Add(new SchemaProblem("metadata.name", "must begin with a letter and hold only small letters, digits and `-`, since Services are named after it"));
        }

        if (!Guid.TryParse(ClusterBlocks.IdOf(cluster) ?? Guid.Empty.ToString(), out _))
        {
            problems.Add(new SchemaProblem($"metadata.annotations.{ClusterBlocks.ClusterIdAnnotation}", "must be the id of a cluster, a UUID"));
        }

        foreach (var key in cluster.Spec.Config?.Keys ?? Enumerable.Empty<string>())
        {
            if (!SettingName().IsMatch(key))
            {
                problems.Add(new SchemaProblem($"spec.config.{key}", "must be the name of a node's setting: small letters, digits and `-`, at most 64"));
            }
            else if (NodeSettings.OfTheOperator.Contains(key))
            {
                problems.Add(new SchemaProblem($"spec.config.{key}", "is set by the operator"));
            }
        }

        if (cluster.Spec.PodTemplate is { } overlay)
        {
            problems.AddRange(CheckOverlay(overlay));
        }

        return problems;
    }

    /// <summary>
    /// Settings that no node of this release has. Nodes overlook them, and those of another release may have them: they are told, and all else that the spec says is done. None is in
    /// <see cref="Check"/>.
    /// </summary>
    public static IReadOnlyList<SchemaProblem> UnknownSettings(Cluster cluster) =>
    [
        .. (cluster.Spec.Config?.Keys ?? Enumerable.Empty<string>())
            .Where(key => SettingName().IsMatch(key) && !NodeSettings.OfTheOperator.Contains(key) && !NodeSettings.OfASpec.Contains(key))
            .Select(key => new SchemaProblem($"spec.config.{key}", "there is no such setting" + NearName.Suggest(key, NodeSettings.OfASpec))),
    ];

    private static IEnumerable<SchemaProblem> CheckOverlay(JsonObject overlay)
    {
        foreach (var (key, value) in overlay)
        {
            if (key is not ("metadata" or "spec") || value is not JsonObject)
            {
                yield return new SchemaProblem($"spec.podTemplate.{key}", "a pod template has the objects metadata and spec only");
            }
        }

        foreach (var part in new[] { "labels", "annotations" })
        {
            foreach (var (key, _) in (overlay["metadata"] as JsonObject)?[part] as JsonObject ?? [])
            {
                if (key.StartsWith("kv.dev/", StringComparison.Ordinal) || key.StartsWith("app.kubernetes.io/", StringComparison.Ordinal))
                {
                    yield return new SchemaProblem($"spec.podTemplate.metadata.{part}.{key}", "belongs to the operator");
                }
            }
        }
    }

    [GeneratedRegex("^[a-z]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex ServiceName();

    [GeneratedRegex("^[a-z][-a-z0-9]{0,63}$")]
    private static partial Regex SettingName();
}
