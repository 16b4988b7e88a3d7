using Kv.Operator.Api.Entities;

namespace Kv.Operator;

/// <summary>A change worth telling a person: becomes an event on Kubernetes and a line in local mode. The message holds no counters, so that events do not multiply.</summary>
/// <param name="IsWarning">It is bad news.</param>
/// <param name="Reason">The condition's.</param>
/// <param name="Message">For a person.</param>
/// <param name="Id">Which condition became what, and since when it had been otherwise: the same for whoever finds the change, and for whoever finds it again since the status does not tell of it yet.</param>
internal sealed record Transition(bool IsWarning, string Reason, string Message, string Id)
{
    /// <summary>Conditions for which True is the bad news.</summary>
    private static readonly HashSet<string> BadWhenTrue = new(StringComparer.Ordinal) { Api.Conditions.Degraded, Api.Conditions.Blocked, Api.Conditions.UnderReplicated, Api.Conditions.DiskPressure };

    /// <summary>Conditions that come and go too often to be told.</summary>
    private static readonly HashSet<string> Quiet = new(StringComparer.Ordinal) { Api.Conditions.Progressing, Api.Conditions.RingConverged, Api.Conditions.UpgradeInProgress, Api.Conditions.ReconcileSuccess };

    /// <summary>What changed between two lists of conditions; nothing for a condition that was not there and is as it should be.</summary>
    public static IReadOnlyList<Transition> Between(IReadOnlyList<Condition>? before, IReadOnlyList<Condition>? after)
    {
        var transitions = new List<Transition>();
        foreach (var condition in after ?? [])
        {
            var old = before?.FirstOrDefault(one => one.Type == condition.Type);
            var isBad = (condition.Status == "True") == BadWhenTrue.Contains(condition.Type) && condition.Status != "Unknown";
            // Not being so yet is no news; having been so is.
            var isNews = old is null or { Status: "Unknown" }
                ? (isBad && BadWhenTrue.Contains(condition.Type)) || (old is not null && !isBad && condition.Status == "True")
                : old.Status != condition.Status && condition.Status != "Unknown";
            if (isNews && !Quiet.Contains(condition.Type) && !(isBad && IsRepeated(condition, after!)))
            {
                var message = string.IsNullOrEmpty(condition.Message) ? "" : $": {condition.Message}";
                transitions.Add(new Transition(isBad, condition.Reason, $"{condition.Type} is {condition.Status}{message}", $"{condition.Type} {condition.Status} {old?.LastTransitionTime:O}"));
            }
        }

        return transitions;
    }

    /// <summary>Degraded for what a condition of its own tells in the same words.</summary>
    private static bool IsRepeated(Condition condition, IReadOnlyList<Condition> all) =>
        condition.Type == Api.Conditions.Degraded
        && all.Any(other => other != condition && BadWhenTrue.Contains(other.Type) && other.Status == "True" && (other.Reason, other.Message) == (condition.Reason, condition.Message));
}
