using Grpc.Net.Client;
using Kv.Protos.Admin.V1;

namespace Kv.EndToEnd.Local;

/// <summary>What a run's ring looks like, asked of a node's admin port.</summary>
internal static class Rings
{
    /// <summary>Waits until so many valid members own the ring, to within one partition of each other, with no transfer to go.</summary>
    public static async Task BalancedAsync(LocalRun run, int members, CancellationToken cancel)
    {
        var last = "";
        await Eventually.AsyncTrue(
            async () =>
            {
                using var channel = GrpcChannel.ForAddress($"http://{run.Endpoints("admin")[0]}");
                var cluster = await new Admin.AdminClient(channel).GetClusterAsync(new GetClusterRequest(), cancellationToken: cancel);
                last = $"{cluster.PendingTransfers} transfers; {string.Join(", ", cluster.Members.Select(member => $"{member.Name} {member.State} {member.Partitions}"))}";
                var owned = cluster.Members.Where(member => member.State == MemberState.Valid).Select(member => member.Partitions).ToList();
                return owned.Count == members && cluster.PendingTransfers == 0 && owned.Max() - owned.Min() <= 1;
            },
            TimeSpan.FromMinutes(3),
            () => $"{members} members, balanced: {last}\n{run.Output}",
            cancel);
    }

    /// <summary>Waits until no node holds data that belongs to another.</summary>
    public static async Task HintsReturnedAsync(LocalRun run, CancellationToken cancel)
    {
        var last = "";
        await Eventually.AsyncTrue(
            async () =>
            {
                var waiting = new List<string>();
                foreach (var endpoint in run.Endpoints("admin"))
                {
                    using var channel = GrpcChannel.ForAddress($"http://{endpoint}");
                    var transfers = await new Admin.AdminClient(channel).GetTransfersAsync(new GetTransfersRequest(), cancellationToken: cancel);
                    waiting.AddRange(transfers.Transfers_.Select(transfer => $"{transfer.Kind} {transfer.Partition} {transfer.From} -> {transfer.To} {transfer.State} {transfer.LastError}"));
                }

                last = string.Join("; ", waiting);
                return waiting.Count == 0;
            },
            TimeSpan.FromMinutes(3),
            () => $"hints are still to go: {last}\n{run.Output}",
            cancel);
    }
}
