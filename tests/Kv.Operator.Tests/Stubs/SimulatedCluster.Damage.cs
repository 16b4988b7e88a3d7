using Grpc.Core;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Data that rots, and owners that rebuild what they lost of it.</summary>
internal sealed partial class SimulatedCluster
{
    private const int Copies = 3;

    /// <summary>Partitions whose data is damaged on a node.</summary>
    public List<(string Node, int Partition)> Damaged { get; } = [];

    /// <summary>Partitions whose owner has yet to get their data.</summary>
    public List<int> Rebuilding { get; } = [];

    public int Rebuilds { get; private set; }

    /// <summary>A partition is damaged at its owner, and no copy of its keys was before.</summary>
    public void Rot(int partition)
    {
        var near = Damaged.Select(damage => damage.Partition).Concat(Rebuilding).Any(other => Math.Abs(other - partition) is < Copies or > 64 - Copies);
        if (!near && rebuilding == 0 && OwnerOf(partition) is { } owner)
        {
            Damaged.Add((owner, partition));
        }
    }

    public Task<Admin.Cluster> RebuildPartitionAsync(string address, int partition, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () =>
        {
            if (!Damaged.Contains((address, partition)))
            {
                if (!Rebuilding.Contains(partition))
                {
                    throw new NodeRefusedException(StatusCode.FailedPrecondition, $"not_damaged: partition {partition} is not known to be damaged here");
                }

                return;
            }

            var without = Damaged.Select(damage => damage.Partition).Concat(Rebuilding).ToHashSet();
            if (OwnerOf(partition) != address || Enumerable.Range(0, 64).Any(first => Enumerable.Range(first, Copies).All(copy => without.Contains(copy % 64))))
            {
                throw new NodeRefusedException(StatusCode.FailedPrecondition, "data_loss: no replica would be left of 1 of 64 ranges of the keys that have 3 replicas");
            }

            if (members.Find(member => !IsUp(member)) is { } away)
            {
                Breaches.Add($"what is left of partition {partition} is given up while {away} is away");
            }

            Damaged.Remove((address, partition));
            Rebuilding.Add(partition);
            Rebuilds++;
            version++;
        });
        return Task.FromResult(View());
    }

    private string? OwnerOf(int partition) => View() is var view && partition < view.Owners.Count ? view.Members[(int)view.Owners[partition]].Name : null;

    /// <summary>A rebuild asks every member. What is another's by now came to that one from the other copies.</summary>
    private void MoveDamage(int count)
    {
        Rebuilding.RemoveRange(0, members.TrueForAll(IsUp) ? Math.Min(count, Rebuilding.Count) : 0);
        Damaged.RemoveAll(damage => OwnerOf(damage.Partition) != damage.Node);
    }
}
