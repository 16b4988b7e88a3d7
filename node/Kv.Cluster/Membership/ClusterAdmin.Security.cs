using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Security;

namespace Kv.Cluster.Membership;

/// <summary>Users, groups, sources and grants. They are part of the cluster document, so that every node has the same.</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>With what is kept of passwords: it goes to no client.</summary>
    public AdminResult<SecurityState> GetSecurity() => state.Current.Document is { } document ? document.Security : NotInCluster;

    /// <summary>
    /// Refused with the words of <see cref="SecurityRefusal"/>. The first change of a cluster is refused `not_supported` while some member, down or up, does not say that it knows of security: it
    /// would serve on by an older document, to everybody.
    /// </summary>
    public async ValueTask<AdminResult<SecurityState>> ChangeSecurityAsync(SecurityChange change, CancellationToken cancel)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        if (WhyUnknown(document.Security, change) is { } unknown)
        {
            return new AdminRefusal(KindOf(unknown.Reason), unknown.Reason, unknown.Message);
        }

        if (document.Security.IsEmpty && await SilentAsync(document.Members, new PeerRequest.KnowsSecurity(), cancel) is { Length: > 0 } silent)
        {
            return new AdminRefusal(
                AdminRefusalKind.FailedPrecondition, SecurityRefusal.NotSupported, $"not all members say that they know of security: {silent}; upgrade them, or wait until they are up");
        }

        var decided = new DocumentChange.ChangeSecurity(change) { Knowing = document.Security.IsEmpty ? [.. document.Members.Select(m => m.Id)] : [] };
        return await ChangeAsync(decided, cancel) is { } refused ? refused : GetSecurity();
    }

    /// <summary>The document's rules take a second delete for a repeated one; a person who misspells a name is told.</summary>
    private static SecurityChangeResult.Refused? WhyUnknown(SecurityState security, SecurityChange change) => change switch
    {
        SecurityChange.DeleteUser delete => SecurityRules.WhyUnknown(security, delete.Name, isUser: true),
        SecurityChange.DeleteGroup delete => SecurityRules.WhyUnknown(security, delete.Name, isUser: false),
        _ => null,
    };

    /// <summary>The names of the members that do not answer <see cref="PeerReply.Done"/>; empty where all do.</summary>
    private async ValueTask<string> SilentAsync(IEnumerable<Member> members, PeerRequest question, CancellationToken cancel)
    {
        var others = members.Where(m => m.Id != self.Id).ToList();
        var replies = await Task.WhenAll(others.Select(m => transport.SendAsync(m.Id, question, PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel).AsTask()));
        return string.Join(", ", others.Zip(replies).Where(pair => pair.Second is not PeerReply.Done).Select(pair => pair.First.Name));
    }
}
