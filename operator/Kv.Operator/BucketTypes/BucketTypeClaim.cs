using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;

namespace Kv.Operator.BucketTypes;

/// <summary>
/// That a BucketType object asks for a type of a cluster, and what decides which of several has it. Pure. One that was accepted has its place at that type, whatever its spec says since: by
/// another name in it, which is refused, it would take the place of a younger one.
/// </summary>
/// <param name="Namespace">Of the object.</param>
/// <param name="Name">Of the object.</param>
/// <param name="Cluster">The name of its cluster; empty where it names none.</param>
/// <param name="TypeName">The name that clients would use.</param>
internal sealed record BucketTypeClaim(string Namespace, string Name, string Cluster, string TypeName)
{
    public string? Uid { get; init; }

    public long? Generation { get; init; }

    /// <summary>Null in local mode, which knows no time of an object.</summary>
    public DateTimeOffset? MadeAt { get; init; }

    /// <summary>It is being deleted.</summary>
    public bool IsEnding { get; init; }

    /// <summary>Why the object is refused itself; null where it is not.</summary>
    public string? Refusal { get; init; }

    public static BucketTypeClaim Of(BucketType type) => new(
        type.Metadata.NamespaceProperty ?? "", type.Metadata.Name, type.Status.AcceptedCluster ?? type.Spec.ClusterRef.Name, type.Status.AcceptedName ?? type.TypeName)
    {
        Uid = type.Metadata.Uid,
        Generation = type.Metadata.Generation,
        MadeAt = type.Metadata.CreationTimestamp,
        IsEnding = type.Metadata.DeletionTimestamp is not null,
        Refusal = type.Status.Conditions?.Find(condition => condition is { Type: Conditions.Accepted, Status: "False" })?.Message,
    };

    /// <summary>
    /// From the object as it is stored. One that cannot be read as a whole, of another version of the operator, has its place all the same: else it would lose its type to a
    /// younger one, and take it back once it can be read.
    /// </summary>
    public static BucketTypeClaim Read(JsonObject item)
    {
        var (metadata, spec, status) = (item["metadata"] as JsonObject, item["spec"] as JsonObject, item["status"] as JsonObject);
        var name = Text(metadata, "name") ?? "";
        var cluster = Text(status, "acceptedCluster") ?? Text(spec?["clusterRef"] as JsonObject, "name") ?? "";
        return new BucketTypeClaim(Text(metadata, "namespace") ?? "", name, cluster, Text(status, "acceptedName") ?? Text(spec, "name") ?? name)
        {
            Uid = Text(metadata, "uid"),
            Generation = metadata?["generation"] is JsonValue number && number.TryGetValue<long>(out var generation) ? generation : null,
            MadeAt = DateTimeOffset.TryParse(Text(metadata, "creationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var madeAt) ? madeAt : null,
            IsEnding = metadata?["deletionTimestamp"] is not null,
            Refusal = Unreadable(item) ?? Refused(status),
        };
    }

    private static string? Unreadable(JsonObject item)
    {
        try
        {
            item.Deserialize<BucketType>(KvJson.Options);
            return null;
        }
        catch (JsonException e)
        {
            return $"it cannot be read: {e.Message}";
        }
    }

    private static string? Refused(JsonObject? status) => (status?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(condition => Text(condition, "type") == Conditions.Accepted && Text(condition, "status") == "False")
        .Select(condition => Text(condition, "message"))
        .FirstOrDefault();

    private static string? Text(JsonObject? of, string field) => of?[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
