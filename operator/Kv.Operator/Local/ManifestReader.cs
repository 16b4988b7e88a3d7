using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s.Models;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.Api.Schema;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;

namespace Kv.Operator.Local;

/// <summary>Reads manifests from files and holds them to what an API server would: schema, defaults, rules. Every problem names its file and field.</summary>
internal static partial class ManifestReader
{
    private const int MaxFiles = 1000;
    private const string DefaultNamespace = "default";

    private static readonly SchemaNode ClusterSchema = CrdWriter.SpecSchema(typeof(Cluster));
    private static readonly SchemaNode BucketTypeSchema = CrdWriter.SpecSchema(typeof(BucketType));

    /// <param name="directory">Files that end in .yaml, .yml or .json; not those of directories inside it.</param>
    public static ManifestLook Look(string directory)
    {
        var files = ImmutableArray.CreateBuilder<(string Name, string Text)>();
        try
        {
            foreach (var path in Directory.EnumerateFiles(directory).Where(IsManifest).Order(StringComparer.Ordinal).Take(MaxFiles))
            {
                files.Add((Path.GetFileName(path), File.ReadAllText(path)));
            }

            return new ManifestLook(files.DrainToImmutable(), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ManifestLook([], e.Message);
        }
    }

    /// <param name="look">What is in the files.</param>
    /// <param name="before">What was read before; rules about changes compare with it. Null at the start.</param>
    public static ManifestSet Read(ManifestLook look, ManifestSet? before) => Read(look.Files, look.Problem is null ? [] : [look.Problem], before);

    public static ManifestSet Read(IEnumerable<(string Name, string Text)> files, IEnumerable<string> earlier, ManifestSet? before)
    {
        var problems = earlier.ToList();
        var clusters = new List<Cluster>();
        var types = new List<BucketType>();
        var origins = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (file, text) in files)
        {
            IReadOnlyList<JsonNode> documents;
            try
            {
                documents = YamlReader.Read(text);
            }
            catch (FormatException e)
            {
                problems.Add($"{file}: {e.Message}");
                continue;
            }

            foreach (var document in documents)
            {
                foreach (var problem in Take(document, before, clusters, types, origins, file))
                {
                    problems.Add($"{file}: {problem}");
                }
            }
        }

        if (problems.Count == 0)
        {
            problems.AddRange(SharedNames(clusters, origins));
            var claims = types.ConvertAll(BucketTypeClaim.Of);
            problems.AddRange(types.Select(type => (Type: type, Holder: BucketTypePlanner.HolderBefore(type, claims))).Where(pair => pair.Holder is not null)
                .Select(pair => $"{origins[Key("BucketType", pair.Type.Metadata)]}: BucketType {pair.Type.Metadata.Name}: spec.name: {BucketTypePlanner.ConflictWith(pair.Holder!)}"));
            problems.AddRange(types
                .Where(type => !clusters.Exists(cluster => cluster.Metadata.Name == type.Spec.ClusterRef.Name && cluster.Metadata.NamespaceProperty == type.Metadata.NamespaceProperty))
                .Select(type => $"{origins[Key("BucketType", type.Metadata)]}: BucketType {type.Metadata.Name}: spec.clusterRef.name: there is no Cluster {type.Spec.ClusterRef.Name}"));
        }

        return new ManifestSet([.. clusters], [.. types], [.. problems]);
    }

    /// <summary>Of a cluster and its nodes all is kept by their names alone, and each needs its own.</summary>
    private static IEnumerable<string> SharedNames(List<Cluster> clusters, Dictionary<string, string> origins)
    {
        var sets = new Dictionary<string, Cluster>(StringComparer.Ordinal);
        foreach (var cluster in clusters)
        {
            var (title, file) = ($"Cluster {cluster.Metadata.Name}", origins[Key("Cluster", cluster.Metadata)]);
            var others = ZoneShares.ZonesOf(cluster.Spec).Select(zone => Names.StatefulSet(cluster, zone)).Where(name => !sets.TryAdd(name, cluster)).Select(name => sets[name]);
            if (clusters.TakeWhile(one => one != cluster).FirstOrDefault(one => one.Metadata.Name == cluster.Metadata.Name) is { } namesake)
            {
                yield return $"{file}: {title}: metadata.namespace: local mode knows no namespaces, and there is a Cluster of that name already, in {origins[Key("Cluster", namesake.Metadata)]}";
            }
            else if (others.FirstOrDefault() is { } other)
            {
                yield return $"{file}: {title}: metadata.name: its nodes would be called as those of {other.Metadata.Name} in {origins[Key("Cluster", other.Metadata)]}";
            }
        }
    }

    private static IEnumerable<string> Take(
        JsonNode document, ManifestSet? before, List<Cluster> clusters, List<BucketType> types, Dictionary<string, string> origins, string file)
    {
        if (document is not JsonObject json)
        {
            return ["a manifest is an object with apiVersion, kind, metadata and spec"];
        }

        if (json["apiVersion"]?.ToString() != KvApi.ApiVersion)
        {
            return [$"apiVersion: must be {KvApi.ApiVersion}, not {json["apiVersion"]?.ToString() ?? "absent"}"];
        }

        return json["kind"]?.ToString() switch
        {
            "Cluster" => Take<Cluster, ClusterSpec, ClusterStatus>(json, ClusterSchema, clusters, before?.Clusters ?? [], origins, file, cluster => [.. ClusterRules.Check(cluster), .. ClusterRules.UnknownSettings(cluster)]),
            "BucketType" => Take<BucketType, BucketTypeSpec, BucketTypeStatus>(json, BucketTypeSchema, types, before?.BucketTypes ?? [], origins, file, type => RuleChecker.CheckEntity(type, null)),
            var other => [$"kind: must be Cluster or BucketType, not {other ?? "absent"}"],
        };
    }

    private static IReadOnlyList<string> Take<TEntity, TSpec, TStatus>(
        JsonObject json,
        SchemaNode schema,
        List<TEntity> entities,
        ImmutableArray<TEntity> before,
        Dictionary<string, string> origins,
        string file,
        Func<TEntity, IReadOnlyList<SchemaProblem>> check)
        where TEntity : CustomKubernetesEntity<TSpec, TStatus>
        where TSpec : new()
        where TStatus : new()
    {
        var problems = new List<SchemaProblem>(CheckEnvelope(json));
        var spec = json["spec"];
        SchemaValidator.ApplyDefaults(schema, spec);
        problems.AddRange(SchemaValidator.Validate(schema, spec, "spec"));
        var title = $"{json["kind"]} {(json["metadata"] as JsonObject)?["name"]}".TrimEnd();
        if (problems.Count > 0)
        {
            return [.. problems.Select(problem => $"{title}: {problem}")];
        }

        json.Remove("status");
        var entity = json.Deserialize<TEntity>(KvJson.Options) ?? throw new FormatException("a manifest is an object");
        entity.Metadata.NamespaceProperty ??= DefaultNamespace;
        problems.AddRange(check(entity));
        var old = before.FirstOrDefault(one => Key(json["kind"]!.ToString(), one.Metadata) == Key(json["kind"]!.ToString(), entity.Metadata));
        if (old is not null && problems.Count == 0)
        {
            problems.AddRange(RuleChecker.CheckEntity<TSpec, TStatus>(entity, old));
        }

        if (!origins.TryAdd(Key(json["kind"]!.ToString(), entity.Metadata), file))
        {
            problems.Add(new SchemaProblem("metadata.name", $"there is one of that name already, in {origins[Key(json["kind"]!.ToString(), entity.Metadata)]}"));
        }

        entities.Add(entity);
        return [.. problems.Select(problem => $"{title}: {problem}")];
    }

    private static IEnumerable<SchemaProblem> CheckEnvelope(JsonObject json)
    {
        foreach (var (name, _) in json)
        {
            if (name is not ("apiVersion" or "kind" or "metadata" or "spec" or "status"))
            {
                yield return new SchemaProblem(name, "there is no such field");
            }
        }

        if (json["metadata"] is not JsonObject metadata)
        {
            yield return new SchemaProblem("metadata", "must be an object with a name");
            yield break;
        }

        if (metadata["name"]?.ToString() is not { } text || !ObjectName().IsMatch(text) || text.Length > 253)
        {
            yield return new SchemaProblem("metadata.name", "must be small letters, digits, `-` and `.`, and begin and end with a letter or digit");
        }

        foreach (var (name, value) in metadata)
        {
            var isText = value?.GetValueKind() == JsonValueKind.String;
            var isMap = value is JsonObject map && map.All(pair => pair.Value?.GetValueKind() == JsonValueKind.String);
            if (name is "name" or "namespace" ? !isText : name is not ("labels" or "annotations") || !isMap)
            {
                yield return new SchemaProblem($"metadata.{name}", "a manifest's metadata has name, namespace, labels and annotations, and their values are strings");
            }
        }

        if (json["spec"] is not JsonObject)
        {
            yield return new SchemaProblem("spec", "must be given");
        }
    }

    private static string Key(string kind, V1ObjectMeta metadata) => $"{kind}/{metadata.NamespaceProperty}/{metadata.Name}";

    private static bool IsManifest(string path) => Path.GetExtension(path) is ".yaml" or ".yml" or ".json" && !Path.GetFileName(path).StartsWith('.');

    [GeneratedRegex("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
    private static partial Regex ObjectName();
}
