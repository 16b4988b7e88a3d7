using Grpc.Net.Client;
using Kv.Core.Objects;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>What a disk forgot is found, told, and made anew from the other copies, and no person does anything for it.</summary>
public sealed class RotTests
{
    private const int Writers = 16;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ABitThatRots_InARecordOfAStoppedNode_IsFoundAndRebuilt_WithoutAPerson()
    {
        await using var run = await LocalRun.StartAsync(3, Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        await using (var client = await run.ConnectAsync(Cancel))
        {
            await ledger.WriteAsync(client, Writers, untilAcknowledged: 5_000, Cancel);
            Assert.Empty(await ledger.VerifyRepairedOwnersAsync(client, Cancel));
        }

        var owned = await OwnedAsync(run, "example-1");
        Assert.Equal(0, await run.StopAsync());
        var rotten = TurnABit(run.StoresOf("example-1"), owned);
        var before = run.Output.Length;
        run.Start();
        await run.WaitForNodesAsync(3, Cancel);
        await using var again = await run.ConnectAsync(Cancel);
        await Eventually.AsyncTrue(
            async () =>
            {
                // A read of each key of all replicas comes to each record.
                Assert.Empty(await ledger.VerifyAsync(again, Cancel));
                return run.Output[before..].Contains("UnderReplicated is False", StringComparison.Ordinal);
            },
            TimeSpan.FromMinutes(3),
            () => $"{rotten} is found and made good:\n{run.Output}",
            Cancel);

        Assert.Contains("UnderReplicated is True: data is damaged or gone on example-1 (1 partitions); it is rebuilt from the other copies", run.Output[before..], StringComparison.Ordinal);
        Assert.Contains($"/{rotten} ", run.LogOf("example-1"), StringComparison.Ordinal);
        Assert.Empty((await NodeAsync(run, "example-1")).Damaged);
        Assert.Empty(await ledger.VerifyOwnersAsync(run, Cancel));
    }

    /// <summary>In the middle of what a store has on disk.</summary>
    /// <returns>Directory and file.</returns>
    private static string TurnABit(string stores, HashSet<int> owned)
    {
        var file = Directory.GetDirectories(stores)
            .Where(store => owned.Contains(PartitionOf(store)))
            .SelectMany(store => Directory.GetFiles(store, "records.*"))
            .Order(StringComparer.Ordinal)
            .First();
        var bytes = File.ReadAllBytes(file);
        var place = Array.FindIndex(bytes, bytes.AsSpan().LastIndexOfAnyExcept((byte)0) / 2, one => one != 0);
        bytes[place] ^= 1;
        File.WriteAllBytes(file, bytes);
        return Path.Combine(Path.GetFileName(Path.GetDirectoryName(file)!), Path.GetFileName(file));
    }

    private static int PartitionOf(string store) => int.Parse(Path.GetFileName(store)[1..].Split('-')[0], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<HashSet<int>> OwnedAsync(LocalRun run, string node)
    {
        using var channel = GrpcChannel.ForAddress($"http://{run.Endpoint(node, "admin")}");
        var cluster = await new Admin.AdminClient(channel).GetClusterAsync(new GetClusterRequest(), cancellationToken: Cancel);
        return [.. Enumerable.Range(0, cluster.Owners.Count).Where(partition => cluster.Members[(int)cluster.Owners[partition]].Name == node)];
    }

    private static async Task<Protos.Admin.V1.Node> NodeAsync(LocalRun run, string node)
    {
        using var channel = GrpcChannel.ForAddress($"http://{run.Endpoint(node, "admin")}");
        return await new Admin.AdminClient(channel).GetNodeAsync(new GetNodeRequest(), cancellationToken: Cancel);
    }
}
