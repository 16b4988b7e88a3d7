using System.Text;
using Kv.Cluster;
using Kv.Core.DataTypes;
using Kv.Core.Objects;

namespace Kv.Simulation.Running;

/// <summary>Outcomes and objects in a person's words.</summary>
public static class OutcomeText
{
    public static string Of(KvOutcome? outcome) => outcome switch
    {
        null => "no answer",
        KvOutcome.Found found => $"found {Of(found.Object)}",
        KvOutcome.NotFound { TombstoneContext: null } => "not found",
        KvOutcome.NotFound => "not found, deleted",
        KvOutcome.Unchanged => "unchanged",
        KvOutcome.Stored => "stored",
        KvOutcome.Deleted => "deleted",
        KvOutcome.Failed failed => $"failed: {Of(failed.Error)}",
        _ => outcome.ToString(),
    };

    /// <summary>How it ended, without what was found.</summary>
    public static string Kind(KvOutcome? outcome) => outcome is KvOutcome.Found ? "found" : Of(outcome);

    private static string Of(KvError error) => error switch
    {
        KvError.Unsatisfied unmet => $"{unmet.Option} of {unmet.Required} unmet, got {unmet.Got}{Unsure(error)}",
        KvError.InsufficientVnodes few => $"{few.Got} vnodes of {few.Required}",
        KvError.NotReady notReady => $"not ready: {notReady.Detail}",
        KvError.InvalidRequest invalid => $"invalid: {invalid.Message}",
        _ => $"{error.GetType().Name}{Unsure(error)}",
    };

    private static string Unsure(KvError error) => error.IsIndeterminate ? " (may have happened)" : "";

    /// <summary>The values of the siblings, in order.</summary>
    public static string Of(KvObject held) =>
        $"[{string.Join(", ", held.Siblings.Select(ValueOf).Order(StringComparer.Ordinal))}]";

    /// <summary>The members of a set; null for any other value.</summary>
    public static IEnumerable<string>? MembersOf(Sibling sibling) =>
        DataTypeCodec.TryDecode(sibling.Value.Span, out var state, out _) && state is CausalDataType { Root: SetStore set }
            ? set.Values.Select(member => Encoding.UTF8.GetString(member.Span))
            : null;

    public static string ValueOf(Sibling sibling) => sibling switch
    {
        { IsTombstone: true } => "(deleted)",
        { IsHead: true } => "(head)",
        _ when MembersOf(sibling) is { } members => $"{{{string.Join(", ", members)}}}",
        _ => Encoding.UTF8.GetString(sibling.Value.Span),
    };
}
