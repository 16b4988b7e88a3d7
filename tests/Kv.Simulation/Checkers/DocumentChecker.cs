using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// The cluster document never forks and never goes back on a node, by each of its versions every partition has an owner, and a plan is carried out once, and only where an administrator asked for
/// that very one.
/// </summary>
public sealed class DocumentChecker(Journal journal)
{
    private readonly Dictionary<long, (byte[] Bytes, string Holder)> decided = [];
    private readonly Dictionary<NodeId, long> held = [];
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly HashSet<string> carriedOut = new(StringComparer.Ordinal);
    private ClusterDocument? newest;

    /// <summary>Administrators are watched: the cluster is formed.</summary>
    public bool IsFormed { get; set; }

    /// <summary>An administrator asks for this plan to be carried out.</summary>
    public void Asks(string planId) => asked.Add(planId);

    public void Saw(SimNode node, ClusterDocument document)
    {
        var bytes = ClusterDocumentCodec.Encode(document);
        if (!decided.TryAdd(document.Version, (bytes, node.Name)) && !decided[document.Version].Bytes.AsSpan().SequenceEqual(bytes))
        {
            journal.Violation($"{node.Name} holds another version {document.Version} of the document than {decided[document.Version].Holder}");
        }

        if (held.TryGetValue(node.Id, out var before) && document.Version < before)
        {
            journal.Violation($"{node.Name} goes back from version {before} of the document to {document.Version}");
        }

        held[node.Id] = document.Version;
        if (document.Version > (newest?.Version ?? 0))
        {
            LookAtPlan(document.LastCommittedPlanId, newest?.LastCommittedPlanId ?? "");
            newest = document;
        }

        if (DocumentRules.WhyBroken(document) is { } law)
        {
            journal.Violation($"version {document.Version} of the document breaks a law: {law}");
        }
    }

    private void LookAtPlan(string plan, string before)
    {
        if (!IsFormed || plan == before)
        {
            return;
        }

        if (!asked.Contains(plan))
        {
            journal.Violation($"plan {plan} is carried out, which no administrator asked for");
        }
        else if (!carriedOut.Add(plan))
        {
            journal.Violation($"plan {plan} is carried out a second time");
        }
    }
}
