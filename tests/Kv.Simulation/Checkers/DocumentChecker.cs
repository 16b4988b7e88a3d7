using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>The cluster document never forks and never goes back on a node, and by each of its versions every partition has an owner.</summary>
public sealed class DocumentChecker(Journal journal)
{
    private readonly Dictionary<long, (byte[] Bytes, string Holder)> decided = [];
    private readonly Dictionary<NodeId, long> held = [];

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
        if (DocumentRules.WhyBroken(document) is { } law)
        {
            journal.Violation($"version {document.Version} of the document breaks a law: {law}");
        }
    }
}
