using System.Text;
using Kv.Cluster;
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
        KvOutcome.Failed failed => $"failed: {failed.Error}",
        _ => outcome.ToString(),
    };

    /// <summary>The values of the siblings, in order.</summary>
    public static string Of(KvObject held) =>
        $"[{string.Join(", ", held.Siblings.Select(ValueOf).Order(StringComparer.Ordinal))}]";

    public static string ValueOf(Sibling sibling) => sibling switch
    {
        { IsTombstone: true } => "(deleted)",
        { IsHead: true } => "(head)",
        _ => Encoding.UTF8.GetString(sibling.Value.Span),
    };
}
