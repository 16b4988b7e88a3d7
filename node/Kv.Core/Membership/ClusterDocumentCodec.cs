using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Core.Rings;
using Kv.Core.Security;

namespace Kv.Core.Membership;

/// <summary>
/// A cluster document as bytes, on disk and between nodes: a format version byte, then JSON (legible in a hex dump at three in the morning, and small
/// next to what it rules). Equal documents have equal bytes. Checksums are for whoever stores or sends them.
/// </summary>
/// <remarks>
/// <code>
/// 01 or 02                                      format version
/// {"clusterId","clusterName","version",
///  "members":[{"id","name","zone","state","endpoints":{}}],
///  "ring":{"nodes":[id],"owners":[index],"nextOwners":[index],    index into nodes; nextOwners only where it differs
///          "rebuilding":[partition],"plannedAt"}                  only where there are any; only after a commit
///  "staged":[{"join":id}|{"leave":id}|{"join":id,"replaces":id}|{"remove":id}],"lastCommittedPlanId",
///  "defaultType":{"props"},"bucketTypes":[{"name","state","props"}],"buckets":[{"type","bucket":base64,"props"}],
///  "security":{SecurityJson}}                                    in version 2 alone
/// </code>
/// A document has version 2 only where something is said of security. A program that does not know of that would take it out of the next version without a word: it refuses
/// the document instead. A cluster without stays readable to it.
/// </remarks>
public static class ClusterDocumentCodec
{
    public const byte FormatVersion = 2;

    private const byte WithoutSecurity = 1;

    private const string What = "cluster document";

    public static byte[] Encode(ClusterDocument document) => VersionedJson.Write(VersionOf(document), json => Write(json, document));

    /// <exception cref="DocumentFormatException">Damaged, of an unknown version (whose number is in the message), or breaking a law of documents.</exception>
    public static ClusterDocument Decode(ReadOnlyMemory<byte> bytes) => VersionedJson.Read(bytes, FormatVersion, What, Read);

    /// <summary>As <see cref="Decode"/>; false with a reason in place of the exception.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out ClusterDocument? document, [NotNullWhen(false)] out string? reason)
    {
        try
        {
            document = Decode(bytes);
            reason = null;
            return true;
        }
        catch (DocumentFormatException e)
        {
            document = null;
            reason = e.Message;
            return false;
        }
    }

    /// <summary>The format version of the document, and of whatever it is in.</summary>
    internal static byte VersionOf(ClusterDocument? document) => document is null || document.Security.IsEmpty ? WithoutSecurity : FormatVersion;

    /// <summary>Writes the members of the document's JSON object.</summary>
    internal static void Write(Utf8JsonWriter json, ClusterDocument document)
    {
        json.WriteString("clusterId", document.ClusterId);
        json.WriteString("clusterName", document.ClusterName);
        json.WriteNumber("version", document.Version);
        json.WriteStartArray("members");
        foreach (var member in document.Members)
        {
            DocumentJson.WriteMember(json, member);
        }

        json.WriteEndArray();
        WriteRing(json, document.Ring);
        json.WriteStartArray("staged");
        foreach (var staged in document.Staged)
        {
            WriteStaged(json, staged);
        }

        json.WriteEndArray();
        json.WriteString("lastCommittedPlanId", document.LastCommittedPlanId);
        WriteTypes(json, document);
        if (!document.Security.IsEmpty)
        {
            json.WriteStartObject("security");
            SecurityJson.Write(json, document.Security);
            json.WriteEndObject();
        }
    }

    internal static ClusterDocument Read(JsonElement json)
    {
        var document = new ClusterDocument
        {
            ClusterId = json.GetProperty("clusterId").GetGuid(),
            ClusterName = DocumentJson.ReadString(json, "clusterName"),
            Version = json.GetProperty("version").GetInt64(),
            Members = [.. json.GetProperty("members").EnumerateArray().Select(DocumentJson.ReadMember)],
            Ring = ReadRing(json.GetProperty("ring")),
            Staged = [.. json.GetProperty("staged").EnumerateArray().Select(ReadStaged)],
            LastCommittedPlanId = DocumentJson.ReadString(json, "lastCommittedPlanId"),
            DefaultTypeProps = DocumentJson.ReadProps(json.GetProperty("defaultType")),
            BucketTypes = json.GetProperty("bucketTypes").EnumerateArray()
                .Select(t => new BucketType(DocumentJson.ReadString(t, "name"), DocumentJson.ReadEnum<BucketTypeState>(t, "state"), DocumentJson.ReadProps(t)))
                .ToImmutableSortedDictionary(t => t.Name, t => t, StringComparer.Ordinal),
            Buckets = json.GetProperty("buckets").EnumerateArray().ToImmutableSortedDictionary(DocumentJson.ReadBucketName, DocumentJson.ReadProps),
            Security = json.TryGetProperty("security", out var security) ? SecurityJson.Read(security) : SecurityState.Off,
        };
        return DocumentRules.WhyBroken(document) is { } law ? throw new FormatException(law) : document;
    }

    private static void WriteTypes(Utf8JsonWriter json, ClusterDocument document)
    {
        json.WriteStartObject("defaultType");
        DocumentJson.WriteProps(json, document.DefaultTypeProps);
        json.WriteEndObject();
        json.WriteStartArray("bucketTypes");
        foreach (var type in document.BucketTypes.Values)
        {
            json.WriteStartObject();
            json.WriteString("name", type.Name);
            json.WriteNumber("state", (int)type.State);
            DocumentJson.WriteProps(json, type.Props);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("buckets");
        foreach (var (bucket, props) in document.Buckets)
        {
            json.WriteStartObject();
            DocumentJson.WriteBucketName(json, bucket);
            DocumentJson.WriteProps(json, props);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRing(Utf8JsonWriter json, Ring ring)
    {
        var nodes = ring.Owners.Concat(ring.NextOwners).Distinct().Order().ToList();
        json.WriteStartObject("ring");
        json.WriteStartArray("nodes");
        foreach (var node in nodes)
        {
            json.WriteStringValue(node.ToString());
        }

        json.WriteEndArray();
        WriteOwners(json, "owners", ring.Owners, nodes);
        if (RingTransition.HasPending(ring))
        {
            WriteOwners(json, "nextOwners", ring.NextOwners, nodes);
        }

        if (!ring.Rebuilding.IsEmpty)
        {
            DocumentJson.WritePartitions(json, "rebuilding", ring.Rebuilding);
        }

        if (ring.PlannedAt > 0)
        {
            json.WriteNumber("plannedAt", ring.PlannedAt);
        }

        json.WriteEndObject();
    }

    private static void WriteOwners(Utf8JsonWriter json, string name, ImmutableArray<NodeId> owners, List<NodeId> nodes)
    {
        json.WriteStartArray(name);
        foreach (var owner in owners)
        {
            json.WriteNumberValue(nodes.BinarySearch(owner));
        }

        json.WriteEndArray();
    }

    private static Ring ReadRing(JsonElement json)
    {
        var nodes = json.GetProperty("nodes").EnumerateArray().Select(DocumentJson.ReadNode).ToList();
        var owners = ReadOwners(json.GetProperty("owners"), nodes);
        return new Ring(
            owners,
            json.TryGetProperty("nextOwners", out var next) ? ReadOwners(next, nodes) : owners,
            json.TryGetProperty("rebuilding", out var rebuilding) ? DocumentJson.ReadPartitions(rebuilding) : [],
            DocumentJson.ReadNumberOr0(json, "plannedAt"));
    }

    private static ImmutableArray<NodeId> ReadOwners(JsonElement json, List<NodeId> nodes) => [.. json.EnumerateArray().Select(i => nodes[i.GetInt32()])];

    private static void WriteStaged(Utf8JsonWriter json, StagedChange staged)
    {
        json.WriteStartObject();
        switch (staged)
        {
            case StagedChange.Join join:
                DocumentJson.WriteNode(json, "join", join.Joining);
                break;
            case StagedChange.Leave leave:
                DocumentJson.WriteNode(json, "leave", leave.Leaving);
                break;
            case StagedChange.Replace replace:
                DocumentJson.WriteNode(json, "join", replace.Joining);
                DocumentJson.WriteNode(json, "replaces", replace.Dead);
                break;
            case StagedChange.Remove remove:
                DocumentJson.WriteNode(json, "remove", remove.Dead);
                break;
        }

        json.WriteEndObject();
    }

    private static StagedChange ReadStaged(JsonElement json)
    {
        if (json.TryGetProperty("remove", out var dead))
        {
            return new StagedChange.Remove(DocumentJson.ReadNode(dead));
        }

        if (json.TryGetProperty("leave", out var leaving))
        {
            return new StagedChange.Leave(DocumentJson.ReadNode(leaving));
        }

        var joining = DocumentJson.ReadNode(json, "join");
        return json.TryGetProperty("replaces", out var replaced)
            ? new StagedChange.Replace(joining, DocumentJson.ReadNode(replaced))
            : new StagedChange.Join(joining);
    }
}
