using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Hooks;

/// <summary>A member of an older program could not read a document that names hooks.</summary>
public sealed class KnownHooksTests
{
    [Fact]
    public void Hooks_AreRefusedWhileAMemberDoesNotKnowThem() => SimCluster.Run(1, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, old) = (cluster.Nodes[0], cluster.Nodes[1].Id);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("plain", "{}", default)));
        cluster.Network.Instead = (_, to, request) => to == old && request is PeerRequest.KnowsHooks ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 37") : null;
        const string Props = """{"postcommit":[{"name":"tell"}]}""";
        foreach (var refusal in new[]
        {
            (await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("more", Props, default)))!.Refusal,
            (await admin.InAsync(async () => await admin.Node.Admin.UpdateBucketTypeAsync("plain", Props, default)))!.Refusal,
            (await admin.InAsync(async () => await admin.Node.Admin.SetBucketPropsAsync(new BucketName(ObjectKey.DefaultType, "b"), Props, default)))!.Refusal,
        })
        {
            Assert.Equal(RefusalReason.NotReady, refusal!.Reason);
            Assert.Contains("not all members say that they know commit hooks: " + cluster.Document.FindMember(old)!.Name, refusal.Message, StringComparison.Ordinal);
        }

        cluster.Network.Instead = null;
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("more", Props, default)));
    });
}
