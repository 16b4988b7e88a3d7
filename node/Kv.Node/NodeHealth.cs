using System.Globalization;
using Kv.Cluster.Membership;
using Kv.Core.Membership;

namespace Kv.Node;

/// <summary>Answers the three probes, each with its reason. Safe from any thread.</summary>
public sealed class NodeHealth
{
    private volatile Standing standing = new(NodePhase.Recovering, null, "");

    private sealed record Standing(NodePhase Phase, ClusterState? State, string Reason)
    {
        public Func<bool> IsDraining { get; init; } = static () => false;
    }

    public NodePhase Phase => standing.Phase;

    /// <summary>Unless it has failed meanwhile.</summary>
    public void Serving(ClusterState state, Func<bool> isDraining)
    {
        var now = standing;
        if (now.Phase != NodePhase.Failed)
        {
            Interlocked.CompareExchange(ref standing, new Standing(NodePhase.Serving, state, "") { IsDraining = isDraining }, now);
        }
    }

    public void Stopping() => standing = standing with { Phase = NodePhase.Stopping };

    public void Failed(string reason) => standing = standing with { Phase = NodePhase.Failed, Reason = reason };

    /// <summary>Whether the process is of any use: no only where a restart is what helps.</summary>
    public (bool Ok, string Text) Live() => standing is { Phase: NodePhase.Failed, Reason: var reason } ? (false, "failed: " + reason) : (true, "alive");

    /// <summary>Whether what was on disk is recovered.</summary>
    public (bool Ok, string Text) Started() => standing switch
    {
        { Phase: NodePhase.Recovering } => (false, "recovering"),
        { Phase: NodePhase.Failed, Reason: var reason } => (false, "failed: " + reason),
        _ => (true, "started"),
    };

    /// <summary>Whether clients should be sent here.</summary>
    public (bool Ok, string Text) Ready()
    {
        var now = standing;
        if (now.Phase != NodePhase.Serving)
        {
            return now.Phase switch
            {
                NodePhase.Recovering => (false, "recovering"),
                NodePhase.Stopping => (false, "stopping"),
                _ => (false, "failed: " + now.Reason),
            };
        }

        var snapshot = now.State!.Current;
        if (snapshot.RemovedBy is { } removedBy)
        {
            return (false, $"removed from cluster {removedBy.ClusterName}: it serves nothing, and its volume is of no more use");
        }

        if (now.IsDraining())
        {
            return (false, "draining: clients are to ask other nodes");
        }

        if (snapshot.Document is not { } document)
        {
            return (false, "not in a cluster");
        }

        return document.FindMember(snapshot.Self)?.State switch
        {
            MemberState.Valid or MemberState.Leaving => (true, string.Create(
                CultureInfo.InvariantCulture, $"ready: cluster {document.ClusterName}, document version {document.Version}")),
            MemberState.Joining => (false, "joining: staged, and not committed yet"),
            MemberState.Exiting => (false, "exiting: owns nothing any more"),
            MemberState.Down => (false, "marked down by an administrator"),
            _ => (false, "not a member of its cluster any more"),
        };
    }
}
