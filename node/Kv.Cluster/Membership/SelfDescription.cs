using Kv.Cluster.Async;
using Kv.Core.Membership;

namespace Kv.Cluster.Membership;

/// <summary>
/// Keeps what the document says of this node true: where it can be reached (a restart may have moved it), and that it is back where
/// it was marked down. Tries until the document agrees.
/// </summary>
internal sealed class SelfDescription(ClusterOptions options, Member self, ClusterState state, DocumentAgreement agreement, TimeProvider time)
{
    private readonly AsyncSignal wake = new(time);

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(_ => wake.Set());
        while (!cancel.IsCancellationRequested)
        {
            if (Correction(state.Current.Document) is { } change)
            {
                await agreement.ChangeAsync(change, cancel);
            }

            if (Correction(state.Current.Document) is not null)
            {
                // It did not succeed: not again before things had time to change.
                await Task.Delay(options.HeartbeatInterval, time, cancel);
                continue;
            }

            await wake.WaitAsync(options.GossipInterval, cancel);
        }
    }

    private DocumentChange? Correction(ClusterDocument? document) => document?.FindMember(self.Id) switch
    {
        null => null,
        { State: MemberState.Down } => new DocumentChange.MarkUp(self.Id),
        var member when !member.Endpoints.SequenceEqual(self.Endpoints) => new DocumentChange.SetEndpoints(self.Id, self.Endpoints),
        _ => null,
    };
}
