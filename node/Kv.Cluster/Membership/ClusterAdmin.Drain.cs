using Kv.Cluster.Handoff;

namespace Kv.Cluster.Membership;

/// <summary>Before a node is stopped: clients are sent elsewhere, and what it holds for others goes back to them.</summary>
public sealed partial class ClusterAdmin
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Takes no more requests of clients, and returns when those under way have ended and no owner that is up waits for hints of this node, or when the budget
    /// ends. Peers are answered as before. Undone by <see cref="Undrain"/> or a restart.
    /// </summary>
    public async ValueTask<DrainView> DrainAsync(TimeSpan budget, CancellationToken cancel)
    {
        client.IsDraining = true;
        var deadline = Deadline.After(time, budget);
        while (GetDrain() is { IsDraining: true, IsDone: false } && !deadline.HasPassed(time))
        {
            await Task.Delay(DrainPoll, time, cancel);
        }

        return GetDrain();
    }

    public DrainView Undrain()
    {
        client.IsDraining = false;
        return GetDrain();
    }

    public DrainView GetDrain()
    {
        var snapshot = state.Current;
        var (give, keep) = (0, 0);
        foreach (var vnode in host.Open)
        {
            if (snapshot.Document is not { Ring: var ring } || HandoffReceiver.IsHome(snapshot, vnode.Partition))
            {
                continue;
            }

            var canGo = vnode.Partition.Number < ring.Size && snapshot.IsUp(ring.Owner(vnode.Partition));
            (give, keep) = canGo ? (give + 1, keep) : (give, keep + 1);
        }

        return new DrainView(client.IsDraining, client.Coordinating, give, keep);
    }
}
