using Kv.Operator.Api;
using Kv.Operator.Gates;
using Kv.Operator.NodeAdmin;

namespace Kv.Operator.Clusters;

/// <summary>What a node's refusal of a change of members means here: the words of admin.v1 that are answers and not errors. Pure.</summary>
internal static class Refusals
{
    /// <summary>The node holds another document than the one that was decided by; another node may hold that one.</summary>
    public const string DocumentChanged = "document_changed";

    /// <summary>The partition is not one that the node would have to rebuild.</summary>
    public const string NotDamaged = "not_damaged";

    /// <summary>Null for a word that is an error.</summary>
    public static GateVerdict.Closed? Why(NodeRefusedException refused)
    {
        (string Reason, bool IsPassing)? known = refused.Word switch
        {
            "no_space" => (Conditions.Reasons.NoSpace, false),
            "too_few_members" or "only_member" => (Conditions.Reasons.TooFewMembers, false),
            "too_few_zones" => (Conditions.Reasons.TooFewZones, false),
            "member_down" => (Conditions.Reasons.NodesDown, false),
            "is_up" => (Conditions.Reasons.LostNodeIsUp, false),
            "data_loss" => (Conditions.Reasons.DataLoss, false),
            "ring_not_ready" or DocumentChanged => (Conditions.Reasons.RingConverging, true),
            "pending_transfers" or "holds_data" => (Conditions.Reasons.HandingOff, true),
            _ => null,
        };
        return known is var (reason, isPassing) ? new GateVerdict.Closed(reason, refused.Message[(refused.Word.Length + 1)..].TrimStart(), isPassing) : null;
    }
}
