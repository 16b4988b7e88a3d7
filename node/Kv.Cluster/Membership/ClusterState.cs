using System.Collections.Frozen;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// The node's present <see cref="ClusterSnapshot"/>. Read from anywhere without a lock; changed only by the membership
/// parts. Observers are called with every snapshot, one at a time and in order, by whoever made the change; they must be quick and not throw.
/// </summary>
public sealed class ClusterState
{
    /// <summary>Guards all fields but <see cref="current"/>'s reading; never held while an observer runs.</summary>
    private readonly Lock gate = new();
    private readonly Queue<ClusterSnapshot> unannounced = new();
    private Action<ClusterSnapshot>[] observers = [];
    private bool announcing;
    private volatile ClusterSnapshot current;

    public ClusterState(NodeId self) => current = new ClusterSnapshot(self, null, new[] { self }.ToFrozenSet());

    public ClusterSnapshot Current => current;

    /// <summary>Calls <paramref name="observer"/> with every snapshot that comes after this call.</summary>
    public void Subscribe(Action<ClusterSnapshot> observer)
    {
        lock (gate)
        {
            observers = [.. observers, observer];
        }
    }

    /// <summary>Swaps the document. The caller has made it durable; null for a node whose join was taken back.</summary>
    internal void SetDocument(ClusterDocument? document) => Swap(snapshot => new ClusterSnapshot(snapshot.Self, document, snapshot.Up));

    /// <summary>Takes the node out of its cluster for good. The caller has made that durable.</summary>
    internal void SetRemoved(ClusterDocument removedBy) => Swap(snapshot => new ClusterSnapshot(snapshot.Self, null, snapshot.Up, removedBy));

    /// <summary>Swaps the set of nodes that are up; the node itself is always among them.</summary>
    internal void SetUp(IEnumerable<NodeId> up)
    {
        Swap(snapshot =>
        {
            var next = up.Append(snapshot.Self).ToFrozenSet();
            return next.SetEquals(snapshot.Up) ? snapshot : new ClusterSnapshot(snapshot.Self, snapshot.Document, next, snapshot.RemovedBy);
        });
    }

    private void Swap(Func<ClusterSnapshot, ClusterSnapshot> change)
    {
        lock (gate)
        {
            var next = change(current);
            if (next == current)
            {
                return;
            }

            current = next;
            unannounced.Enqueue(next);
            if (announcing)
            {
                return;
            }

            announcing = true;
        }

        Announce();
    }

    private void Announce()
    {
        while (true)
        {
            ClusterSnapshot next;
            Action<ClusterSnapshot>[] listeners;
            lock (gate)
            {
                if (!unannounced.TryDequeue(out next!))
                {
                    announcing = false;
                    return;
                }

                listeners = observers;
            }

            foreach (var observer in listeners)
            {
                observer(next);
            }
        }
    }
}
