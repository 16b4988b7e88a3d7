using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Security;
using Kv.TestKit;
using Xunit;
using static Kv.Core.Security.SecurityChange;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Users and grants are the whole cluster's, and only where all of it knows of them.</summary>
public sealed class SecurityChangeTests
{
    private static readonly AddUser Ada = new("ada", RoleSettings.None);

    [Fact]
    public void AChange_IsOnEveryNode_AndOutlivesARestart() => SimCluster.Run(1, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        SimCluster.Expect(await AskAsync(cluster.Nodes[2], Ada));
        SimCluster.Expect(await AskAsync(cluster.Nodes[0], new Grant(Permissions.Get, GrantScope.Any, ["ada"])));
        await cluster.SettleAsync();
        await cluster.Nodes[1].StopAsync();
        await cluster.Nodes[1].StartAsync();
        await cluster.SettleAsync();
        Assert.All(cluster.Nodes, node => Assert.Equal(Permissions.Get, UserGrants.Of(node.Document!.Security, "ada").On(GrantScope.Any)));
    });

    [Fact]
    public void TheFirstChange_WaitsForAMemberThatDoesNotKnowOfSecurity() => SimCluster.Run(2, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var old = cluster.Nodes[1].Id;
        cluster.Network.Instead = (_, to, request) => to == old && request is PeerRequest.KnowsSecurity ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 32") : null;
        var refused = (await AskAsync(cluster.Nodes[0], Ada)).Refusal!;
        Assert.Equal(SecurityRefusal.NotSupported, refused.Reason);
        Assert.Contains(cluster.Document.FindMember(old)!.Name, refused.Message, StringComparison.Ordinal);
        cluster.Network.Instead = null;
        SimCluster.Expect(await AskAsync(cluster.Nodes[0], Ada));
    });

    [Fact]
    public void ANodeThatDoesNotKnowOfSecurity_IsNotTakenIntoAClusterThatHasAny() => SimCluster.Run(5, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        var (first, old) = (cluster.Nodes[0], cluster.Nodes[1]);
        SimCluster.Expect(await AskAsync(first, Ada));
        cluster.Network.Instead = (_, to, request) => to == old.Id && request is PeerRequest.KnowsSecurity ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 32") : null;
        Assert.Equal(SecurityRefusal.NotSupported, (await StageAsync(first, old)).Refusal?.Reason);
        cluster.Network.Instead = null;
        SimCluster.Expect(await StageAsync(first, old));
    });

    private static Task<AdminResult<PlanView>> StageAsync(SimNode asked, SimNode joining) =>
        asked.InAsync(async () => await asked.Node.Admin.StageJoinAsync([joining.Address], default));

    [Fact]
    public void ANameThatIsNobodys_IsTold_ThoughTheRulesWouldTakeItForARepetition() => SimCluster.Run(3, 1, async cluster =>
    {
        await cluster.FormAsync(1);
        var node = cluster.Nodes[0];
        SimCluster.Expect(await AskAsync(node, Ada));
        Assert.Equal(SecurityRefusal.UnknownUser, (await AskAsync(node, new DeleteUser("eve"))).Refusal?.Reason);
        Assert.Equal(SecurityRefusal.UnknownGroup, (await AskAsync(node, new DeleteGroup("ada"))).Refusal?.Reason);
        Assert.True(SimCluster.Expect(await AskAsync(node, new DeleteUser("Ada"))).IsEmpty);
    });

    private static Task<AdminResult<SecurityState>> AskAsync(SimNode node, SecurityChange change) => node.InAsync(async () => await node.Node.Admin.ChangeSecurityAsync(change, default));
}
