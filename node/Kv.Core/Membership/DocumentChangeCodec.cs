using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kv.Core.Rings;
using Kv.Core.Security;
using static Kv.Core.Membership.DocumentChange;

namespace Kv.Core.Membership;

/// <summary>A change as bytes between nodes: a format version byte, then JSON whose `change` names the case. Names are sent: append only.</summary>
public static class DocumentChangeCodec
{
    public const byte FormatVersion = 1;

    private const string What = "document change";

    public static byte[] Encode(DocumentChange change) => VersionedJson.Write(FormatVersion, json => Write(json, change));

    /// <exception cref="DocumentFormatException">Damaged, of an unknown version (whose number is in the message), or of an unknown kind.</exception>
    public static DocumentChange Decode(ReadOnlyMemory<byte> bytes) => VersionedJson.Read(bytes, FormatVersion, What, Read);

    /// <summary>As <see cref="Decode"/>; false with a reason in place of the exception.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out DocumentChange? change, [NotNullWhen(false)] out string? reason)
    {
        try
        {
            change = Decode(bytes);
            reason = null;
            return true;
        }
        catch (DocumentFormatException e)
        {
            change = null;
            reason = e.Message;
            return false;
        }
    }

    private static void Write(Utf8JsonWriter json, DocumentChange change)
    {
        json.WriteString("change", NameOf(change));
        switch (change)
        {
            case StageJoin join:
                json.WritePropertyName("member");
                DocumentJson.WriteMember(json, join.Node);
                break;
            case StageLeave leave:
                DocumentJson.WriteNode(json, "node", leave.Node);
                break;
            case StageReplace replace:
                DocumentJson.WriteNode(json, "dead", replace.Dead);
                json.WritePropertyName("member");
                DocumentJson.WriteMember(json, replace.Node);
                break;
            case StageRemove remove:
                DocumentJson.WriteNode(json, "dead", remove.Dead);
                break;
            case ConfirmExit exit:
                DocumentJson.WriteNode(json, "node", exit.Node);
                break;
            case BeginRebuild rebuild:
                DocumentJson.WriteNode(json, "owner", rebuild.Owner);
                DocumentJson.WritePartitions(json, "partitions", rebuild.Partitions);
                json.WriteNumber("plannedAt", rebuild.PlannedAt);
                break;
            case CompleteRebuild rebuild:
                DocumentJson.WriteNode(json, "owner", rebuild.Owner);
                DocumentJson.WritePartitions(json, "partitions", rebuild.Partitions);
                json.WriteNumber("plannedAt", rebuild.PlannedAt);
                break;
            case CommitPlan commit:
                json.WriteString("planId", commit.PlanId);
                break;
            case CompleteTransfers complete:
                WriteTransfers(json, complete.Transfers);
                break;
            case SetEndpoints set:
                DocumentJson.WriteNode(json, "node", set.Node);
                DocumentJson.WriteEndpoints(json, "endpoints", set.Endpoints);
                break;
            case MarkDown down:
                DocumentJson.WriteNode(json, "node", down.Node);
                break;
            case MarkUp up:
                DocumentJson.WriteNode(json, "node", up.Node);
                break;
            case CreateBucketType create:
                json.WriteString("name", create.Name);
                DocumentJson.WriteProps(json, create.Props);
                break;
            case ActivateBucketType activate:
                json.WriteString("name", activate.Name);
                if (activate.Props is { } seen)
                {
                    DocumentJson.WriteProps(json, seen);
                }

                break;
            case UpdateBucketType update:
                json.WriteString("name", update.Name);
                DocumentJson.WriteProps(json, update.Props);
                break;
            case SetBucketProps set:
                DocumentJson.WriteBucketName(json, set.Bucket);
                DocumentJson.WriteProps(json, set.Props);
                break;
            case ResetBucketProps reset:
                DocumentJson.WriteBucketName(json, reset.Bucket);
                break;
            case ChangeSecurity security:
                SecurityChangeJson.Write(json, security.Change);
                WriteKnowing(json, security.Knowing);
                break;
        }
    }

    private static string NameOf(DocumentChange change) => change switch
    {
        StageJoin => "stageJoin",
        StageLeave => "stageLeave",
        StageReplace => "stageReplace",
        StageRemove => "stageRemove",
        ConfirmExit => "confirmExit",
        BeginRebuild => "beginRebuild",
        CompleteRebuild => "completeRebuild",
        ClearStaged => "clearStaged",
        CommitPlan => "commitPlan",
        CompleteTransfers => "completeTransfers",
        SetEndpoints => "setEndpoints",
        MarkDown => "markDown",
        MarkUp => "markUp",
        CreateBucketType => "createBucketType",
        ActivateBucketType => "activateBucketType",
        UpdateBucketType => "updateBucketType",
        SetBucketProps => "setBucketProps",
        ResetBucketProps => "resetBucketProps",
        ChangeSecurity => "changeSecurity",
        _ => throw new UnreachableException($"no name for {change.GetType().Name}"),
    };

    private static DocumentChange Read(JsonElement json) => DocumentJson.ReadString(json, "change") switch
    {
        "stageJoin" => new StageJoin(DocumentJson.ReadMember(json.GetProperty("member"))),
        "stageLeave" => new StageLeave(DocumentJson.ReadNode(json, "node")),
        "stageReplace" => new StageReplace(DocumentJson.ReadNode(json, "dead"), DocumentJson.ReadMember(json.GetProperty("member"))),
        "stageRemove" => new StageRemove(DocumentJson.ReadNode(json, "dead")),
        "confirmExit" => new ConfirmExit(DocumentJson.ReadNode(json, "node")),
        "beginRebuild" => new BeginRebuild(
            DocumentJson.ReadNode(json, "owner"), DocumentJson.ReadPartitions(json.GetProperty("partitions")), DocumentJson.ReadNumberOr0(json, "plannedAt")),
        "completeRebuild" => new CompleteRebuild(
            DocumentJson.ReadNode(json, "owner"), DocumentJson.ReadPartitions(json.GetProperty("partitions")), DocumentJson.ReadNumberOr0(json, "plannedAt")),
        "clearStaged" => new ClearStaged(),
        "commitPlan" => new CommitPlan(DocumentJson.ReadString(json, "planId")),
        "completeTransfers" => new CompleteTransfers(ReadTransfers(json)),
        "setEndpoints" => new SetEndpoints(DocumentJson.ReadNode(json, "node"), DocumentJson.ReadEndpoints(json, "endpoints")),
        "markDown" => new MarkDown(DocumentJson.ReadNode(json, "node")),
        "markUp" => new MarkUp(DocumentJson.ReadNode(json, "node")),
        "createBucketType" => new CreateBucketType(DocumentJson.ReadString(json, "name"), DocumentJson.ReadProps(json)),
        "activateBucketType" => new ActivateBucketType(DocumentJson.ReadString(json, "name")) { Props = json.TryGetProperty("props", out _) ? DocumentJson.ReadProps(json) : null },
        "updateBucketType" => new UpdateBucketType(DocumentJson.ReadString(json, "name"), DocumentJson.ReadProps(json)),
        "setBucketProps" => new SetBucketProps(DocumentJson.ReadBucketName(json), DocumentJson.ReadProps(json)),
        "resetBucketProps" => new ResetBucketProps(DocumentJson.ReadBucketName(json)),
        "changeSecurity" => new ChangeSecurity(SecurityChangeJson.Read(json)) { Knowing = ReadKnowing(json) },
        var other => throw new FormatException($"the change `{other}` is not known"),
    };

    private static void WriteKnowing(Utf8JsonWriter json, ImmutableArray<NodeId> knowing)
    {
        json.WriteStartArray("knowing");
        foreach (var node in knowing)
        {
            json.WriteStringValue(node.ToString());
        }

        json.WriteEndArray();
    }

    private static ImmutableArray<NodeId> ReadKnowing(JsonElement json) =>
        json.TryGetProperty("knowing", out var nodes) ? [.. nodes.EnumerateArray().Select(DocumentJson.ReadNode)] : [];

    private static void WriteTransfers(Utf8JsonWriter json, ImmutableArray<Transfer> transfers)
    {
        json.WriteStartArray("transfers");
        foreach (var transfer in transfers)
        {
            json.WriteStartObject();
            json.WriteNumber("partition", transfer.Partition.Number);
            DocumentJson.WriteNode(json, "from", transfer.From);
            DocumentJson.WriteNode(json, "to", transfer.To);
            json.WriteNumber("plannedAt", transfer.PlannedAt);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ImmutableArray<Transfer> ReadTransfers(JsonElement json) =>
    [
        .. json.GetProperty("transfers").EnumerateArray().Select(t => new Transfer(
            new PartitionId(t.GetProperty("partition").GetInt32()), DocumentJson.ReadNode(t, "from"), DocumentJson.ReadNode(t, "to"), DocumentJson.ReadNumberOr0(t, "plannedAt"))),
    ];
}
