using Kv.Operator.Api.Entities;
using static Kv.Operator.Api.Conditions;

namespace Kv.Operator;

/// <summary>What a person wants to know first, in a sentence: the column Status of <c>kubectl get</c>. Made of the conditions alone, what needs a person before what only takes time. Pure.</summary>
internal static class StatusSummary
{
    private const int MaxLength = 512;

    public static string? OfCluster(IReadOnlyList<Condition> conditions)
    {
        var parts = new List<string?>
        {
            Message(conditions, Paused, "True"),
            Message(conditions, Blocked, "True"),
            Message(conditions, Valid, "False"),
            Message(conditions, Progressing, "True"),
            Message(conditions, Available, "False"),
            Message(conditions, Degraded, "True"),
            Message(conditions, ReconcileSuccess, "False"),
        };
        return Join(parts) ?? Message(conditions, Ready, "True") ?? Message(conditions, Ready, "Unknown");
    }

    public static string? OfBucketType(IReadOnlyList<Condition> conditions)
    {
        var parts = new List<string?>
        {
            Message(conditions, Accepted, "False") ?? Message(conditions, Accepted, "Unknown"),
            Message(conditions, Active, "False") ?? Message(conditions, Active, "Unknown"),
            Message(conditions, ReconcileSuccess, "False"),
        };
        return Join(parts) ?? Message(conditions, Active, "True");
    }

    private static string? Message(IReadOnlyList<Condition> conditions, string type, string status) =>
        conditions.FirstOrDefault(condition => condition.Type == type && condition.Status == status)?.Message;

    /// <summary>Conditions share reasons, and so sentences; each is said once.</summary>
    private static string? Join(List<string?> parts)
    {
        var text = string.Join("; ", parts.OfType<string>().Distinct(StringComparer.Ordinal));
        return text.Length == 0 ? null : text.Length <= MaxLength ? text : text[..(MaxLength - 1)] + "…";
    }
}
