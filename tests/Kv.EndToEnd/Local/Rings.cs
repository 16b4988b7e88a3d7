using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Xunit;

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
                var waiting = await Task.WhenAll(run.Endpoints("admin").Select(endpoint => TransfersAsync(endpoint, cancel)));
                last = string.Join("; ", waiting.SelectMany(one => one));
                return last.Length == 0;
            },
            TimeSpan.FromMinutes(3),
            () => $"hints are still to go: {last}\n{run.Output}",
            cancel);
    }

    /// <summary>What a node, by the address of its admin port, has to send to others.</summary>
    public static async Task<IReadOnlyList<string>> TransfersAsync(string endpoint, CancellationToken cancel)
    {
        using var channel = GrpcChannel.ForAddress($"http://{endpoint}");
        var transfers = await new Admin.AdminClient(channel).GetTransfersAsync(new GetTransfersRequest(), cancellationToken: cancel);
        return [.. transfers.Transfers_.Select(transfer => $"{transfer.Kind} {transfer.Partition} {transfer.From} -> {transfer.To} {transfer.State} {transfer.LastError}")];
    }

    /// <summary><see cref="ReadRepairsAsync"/> when it has stood still for five seconds: repairs are sent after the answers to the reads that found them necessary.</summary>
    public static async Task<long> QuietReadRepairsAsync(LocalRun run, CancellationToken cancel)
    {
        var (last, still) = (-1L, 0);
        await Eventually.AsyncTrue(
            async () =>
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancel);
                var now = await ReadRepairsAsync(run, cancel);
                (last, still) = (now, now == last ? still + 1 : 0);
                return still == 5;
            },
            TimeSpan.FromMinutes(1),
            () => $"read repairs still go on: {last}",
            cancel);
        return last;
    }

    /// <summary>How many replicas the nodes have sent a merged object because a read found them stale or without it, since they were started.</summary>
    public static async Task<long> ReadRepairsAsync(LocalRun run, CancellationToken cancel)
    {
        using var http = new HttpClient();
        var repairs = 0L;
        foreach (var endpoint in run.Endpoints("metrics"))
        {
            var lines = (await http.GetStringAsync(new Uri($"http://{endpoint}/metrics"), cancel)).Split('\n').Where(line => line.StartsWith("kv_read_repairs_total{", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(lines);
            repairs += lines.Sum(line => long.Parse(line[(line.IndexOf("} ", StringComparison.Ordinal) + 2)..].Split(' ')[0], CultureInfo.InvariantCulture));
        }

        return repairs;
    }

    /// <summary>Creates a bucket type and activates it as soon as every member has it.</summary>
    public static async Task CreateTypeAsync(LocalRun run, string name, string propsJson, CancellationToken cancel)
    {
        using var channel = GrpcChannel.ForAddress($"http://{run.Endpoints("admin")[0]}");
        var admin = new Admin.AdminClient(channel);
        await admin.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = name, PropsJson = propsJson }, cancellationToken: cancel);
        var last = "";
        await Eventually.AsyncTrue(
            async () =>
            {
                try
                {
                    await admin.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }, cancellationToken: cancel);
                    return true;
                }
                catch (RpcException notYet) when (!cancel.IsCancellationRequested)
                {
                    last = notYet.Status.Detail;
                    return false;
                }
            },
            TimeSpan.FromMinutes(1),
            () => $"{name} is active: {last}\n{run.Output}",
            cancel);
    }

    /// <summary>Waits until every node knows that each of these bucket types is active.</summary>
    public static async Task TypesActiveAsync(LocalRun run, IReadOnlyCollection<string> names, CancellationToken cancel)
    {
        var last = "";
        await Eventually.AsyncTrue(
            async () =>
            {
                foreach (var endpoint in run.Endpoints("admin"))
                {
                    using var channel = GrpcChannel.ForAddress($"http://{endpoint}");
                    var types = await new Admin.AdminClient(channel).ListBucketTypesAsync(new ListBucketTypesRequest(), cancellationToken: cancel);
                    var active = types.BucketTypes_.Where(type => type.State == BucketType.Types.State.Active).Select(type => type.Name).ToList();
                    last = $"{endpoint} has {string.Join(", ", active)}";
                    if (names.Except(active).Any())
                    {
                        return false;
                    }
                }

                return true;
            },
            TimeSpan.FromMinutes(2),
            () => $"{string.Join(", ", names)} are active: {last}\n{run.Output}",
            cancel);
    }
}
