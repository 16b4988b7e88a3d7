using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>The real executable on a volume without a byte free. Needs root, to mount a tmpfs.</summary>
public sealed class FullDiskTests : IAsyncDisposable
{
    private readonly string volume = Directory.CreateTempSubdirectory("kv-full-disk-").FullName;
    private bool isMounted;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ANodeOnAFullDisk_Starts_Reads_RefusesWrites_AndTakesThemAgainWhenThereIsRoom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root, to mount a tmpfs");
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", volume);
        isMounted = true;
        using (var node = Start())
        {
            await node.ServingAsync(None);
            using (var admin = GrpcChannel.ForAddress("http://" + node.Endpoint("admin")))
            {
                await TestCluster.FormAsync(new Admin.AdminClient(admin), [], None);
            }

            for (var number = 0; number < 50; number++)
            {
                Assert.Null(await PutAsync(node, number));
            }

            node.Kill();
        }

        await FillUpAsync();
        using (var node = Start())
        {
            await node.ServingAsync(None);
            await AssertReadsAsync(node);
            Assert.True((await PutAsync(node, 50)) is { Retryable: true }, node.Output);
            Assert.Equal(0, await node.TerminateAsync(None));
        }

        // What the stop could not write down, the next start finds in the log; and while it serves, there is room again.
        using (var node = Start())
        {
            await node.ServingAsync(None);
            await AssertReadsAsync(node);
            await RunAsync("mount", "-o", "remount,size=2g", volume);
            Error? error;
            do
            {
                error = await PutAsync(node, 50);
            }
            while (error is { Retryable: true });
            Assert.Null(error);
            Assert.Equal(0, await node.TerminateAsync(None));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (isMounted)
        {
            await RunAsync("umount", "--lazy", volume);
        }

        Directory.Delete(volume, recursive: true);
    }

    private NodeProcess Start() => NodeProcess.Start(
        "--name=full", "--data", Path.Combine(volume, "data"), "--grpc-port=0", "--peer-port=0", "--admin-port=0", "--riak-pb-port=off", "--riak-http-port=off", "--metrics-port=off", "--stores=64", "--memory-limit=2Gi");

    /// <summary>A tmpfs can be made as small as what is in it.</summary>
    private async Task FillUpAsync()
    {
        var drive = new DriveInfo(volume);
        var used = drive.TotalSize - drive.AvailableFreeSpace;
        await RunAsync("mount", "-o", string.Create(CultureInfo.InvariantCulture, $"remount,size={used}"), volume);
        Assert.Equal(0, new DriveInfo(volume).AvailableFreeSpace);
    }

    private static async Task<Error?> PutAsync(NodeProcess node, int number)
    {
        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        var content = new Content { Value = ByteString.CopyFrom(new byte[1000]) };
        return (await new Protos.Kv.V1.Kv.KvClient(channel).PutAsync(new PutRequest { Key = KeyOf(number), Content = content }, cancellationToken: None)).Error;
    }

    private static async Task AssertReadsAsync(NodeProcess node)
    {
        using var channel = GrpcChannel.ForAddress("http://" + node.Endpoint("grpc"));
        for (var number = 0; number < 50; number++)
        {
            var get = await new Protos.Kv.V1.Kv.KvClient(channel).GetAsync(new GetRequest { Key = KeyOf(number) }, cancellationToken: None);
            Assert.True(get.Object?.Siblings.Single().Value.Length == 1000, $"key {number}: {get.Error}");
        }
    }

    private static Key KeyOf(int number) => new() { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8(number.ToString(CultureInfo.InvariantCulture)) };

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync(None);
        await process.WaitForExitAsync(None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
