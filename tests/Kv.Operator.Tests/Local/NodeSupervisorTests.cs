using System.Collections.Immutable;
using Kv.Operator.Local;
using Kv.Operator.Manifests;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Local;

/// <summary>With a shell script for a node: what counts here is that processes start, are noticed when they end, and never outlive us.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class NodeSupervisorTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("kv-local-").FullName;

    [Fact]
    public async Task Node_ThatIsKilled_IsStartedAgain_AndStopEndsAll()
    {
        var (supervisor, files) = Supervisor(TimeSpan.Zero);
        using (supervisor)
        {
            supervisor.Want([Node("n1"), Node("n2")]);
            supervisor.Tick();
            var first = files.ReadPids();
            Assert.Equal(["n1", "n2"], first.Select(one => one.Node));

            Shells.Signal(first[0].Pid, Shells.Kill);
            var news = await UntilAsync(supervisor, news => news.Count > 0);
            Assert.Contains("n1 was killed", Assert.Single(news), StringComparison.Ordinal);
            await UntilAsync(supervisor, _ => supervisor.IsRunning("n1"));
            Assert.NotEqual(first[0].Pid, files.ReadPids()[0].Pid);

            await supervisor.StopAsync();
            Assert.Empty(files.ReadPids());
            Assert.False(Shells.IsAlive(first[1].Pid));
        }
    }

    [Fact]
    public async Task Node_WithChangedSettings_IsOutdatedUntilItIsRestarted()
    {
        var (supervisor, files) = Supervisor(null);
        using (supervisor)
        {
            supervisor.Want([Node("n1"), Node("n2")]);
            supervisor.Tick();
            var before = files.ReadPids();
            supervisor.Want([Node("n1") with { RestartReason = "because" }, Node("n2")]);
            Assert.True(supervisor.IsOutdated("n1"));
            Assert.False(supervisor.IsOutdated("n2"));

            supervisor.Restart("n1", withoutData: false);
            Assert.False(supervisor.IsRunning("n1"));
            await UntilAsync(supervisor, _ => supervisor.IsRunning("n1"));
            Assert.False(supervisor.IsOutdated("n1"));
            Assert.NotEqual(before[0].Pid, supervisor.PidOf("n1"));
            Assert.Equal(before[1].Pid, supervisor.PidOf("n2"));
            await supervisor.StopAsync();
        }
    }

    [Fact]
    public async Task Node_ThatIsKilled_StaysDownWhereNeverIsSaid()
    {
        var (supervisor, files) = Supervisor(null);
        using (supervisor)
        {
            supervisor.Want([Node("n1")]);
            supervisor.Tick();
            Shells.Signal(files.ReadPids()[0].Pid, Shells.Kill);
            await UntilAsync(supervisor, news => news.Count > 0);
            supervisor.Tick();
            Assert.False(supervisor.IsRunning("n1"));
            Assert.Equal("was killed", supervisor.ProblemOf("n1"));
        }
    }

    [Fact]
    public async Task Node_ThatTheDiskHasNoRoomFor_IsTriedAgain_AndTheOthersRun()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        var (supervisor, files) = Supervisor(null, time);
        using (supervisor)
        {
            var inTheWay = files.DataOf("n1");
            await File.WriteAllTextAsync(inTheWay, "", TestContext.Current.CancellationToken);
            supervisor.Want([Node("n1"), Node("n2")]);
            Assert.Contains("n1 cannot start: ", Assert.Single(supervisor.Tick()), StringComparison.Ordinal);
            Assert.Equal(["n2"], files.ReadPids().Select(one => one.Node));
            Assert.StartsWith("cannot start: ", supervisor.ProblemOf("n1"), StringComparison.Ordinal);

            time.Advance(TimeSpan.FromMinutes(1));
            Assert.Empty(supervisor.Tick());
            File.Delete(inTheWay);
            time.Advance(TimeSpan.FromMinutes(1));
            supervisor.Tick();
            Assert.Equal(["n1", "n2"], files.ReadPids().Select(one => one.Node));
            Assert.All(files.ReadPids(), one => Shells.Signal(one.Pid, Shells.Kill));
        }
    }

    [Fact]
    public async Task Leftovers_OfAnOperatorThatWasKilled_AreEndedAtTheNextStart()
    {
        var (supervisor, files) = Supervisor(null);
        supervisor.Want([Node("n1")]);
        supervisor.Tick();
        var pid = files.ReadPids()[0].Pid;

        var (next, _) = Supervisor(null);
        await next.EndLeftoversAsync();
        Assert.Empty(files.ReadPids());
        await UntilAsync(supervisor, _ => !supervisor.IsRunning("n1"));
        Assert.False(Shells.CommandLineOf(pid).Contains(directory, StringComparison.Ordinal));
        supervisor.Dispose();
        next.Dispose();
    }

    [Fact]
    public async Task Guard_WhenWeAreGone_EndsTheNodes()
    {
        var (supervisor, files) = Supervisor(null);
        using (supervisor)
        {
            var guard = new OrphanGuard(files);
            supervisor.Want([Node("n1")]);
            supervisor.Tick();
            // What the end of our process does, however it comes.
            guard.Dispose();
            await UntilAsync(supervisor, _ => !supervisor.IsRunning("n1"));
        }
    }

    [Fact]
    public async Task Guard_LeavesAProcessAlone_ThatHasThePidOfANodeThatIsNoMore()
    {
        var (supervisor, files) = Supervisor(null);
        using var other = System.Diagnostics.Process.Start("sleep", "600");
        using (supervisor)
        {
            var guard = new OrphanGuard(files);
            supervisor.Want([Node("n1")]);
            supervisor.Tick();
            files.WritePids([("n9", other.Id), .. files.ReadPids()]);
            guard.Dispose();
            await UntilAsync(supervisor, _ => !supervisor.IsRunning("n1"));
        }

        Assert.Contains("sleep 600", Shells.CommandLineOf(other.Id), StringComparison.Ordinal);
        other.Kill();
    }

    [Fact]
    public void Root_WithASlashAtItsEnd_IsTheSameDirectory_AsNodesAreTold() =>
        Assert.Equal(Path.Combine(directory, "n1"), new LocalFiles(directory + "/").Root + "/n1");

    [Fact]
    public void Lock_HeldByAnother_IsRefusedWithTheReason()
    {
        var files = new LocalFiles(directory);
        using var held = files.Lock();
        Assert.Contains("used by another kv-operator", Assert.Throws<WorldException>(() => new LocalFiles(directory).Lock()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_OfPorts_NeverMeet()
    {
        var ports = Enumerable.Range(0, PortBlocks.MaxBlocks).SelectMany(block => PortBlocks.PortsOf(block).Values).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
        Assert.All(ports, port => Assert.True(port < 32768));
        Assert.Equal(8098, PortBlocks.PortsOf(0)[Ports.RiakHttp]);
    }

    [Fact]
    public void Block_WithAPortThatIsTaken_IsPassedOver() => Assert.Equal(2, PortBlocks.Choose([0], port => port != 9180, _ => true));

    [Fact]
    public void Block_ReservedByAnotherRun_IsPassedOver_UntilThatRunEnds()
    {
        var directory = Directory.CreateTempSubdirectory("kv-ports-");
        try
        {
            using var mine = new PortReservations(directory.FullName);
            using (var other = new PortReservations(directory.FullName))
            {
                Assert.Equal(0, PortBlocks.Choose([], _ => true, other.TryReserve));
                Assert.Equal(1, PortBlocks.Choose([], _ => true, mine.TryReserve));
                Assert.False(mine.TryReserve(0));
            }

            Assert.True(mine.TryReserve(0));
            Assert.True(mine.TryReserve(1)); // its own
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private (NodeSupervisor Supervisor, LocalFiles Files) Supervisor(TimeSpan? restartAfter, TimeProvider? time = null)
    {
        var script = Path.Combine(directory, "fake-node");
        File.WriteAllText(script, "#!/bin/sh\nwhile :; do sleep 0.05; done\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(directory, "logs"));
        var options = new LocalOptions { ManifestDirectory = directory, DataDirectory = directory, NodeBinary = script, RestartAfter = restartAfter };
        var files = new LocalFiles(directory);
        return (new NodeSupervisor(options, files, time ?? TimeProvider.System), files);
    }

    private static NodeSpec Node(string name) => new(name, "", new Dictionary<string, int>(), ImmutableSortedDictionary<string, string>.Empty);

    private static async Task<IReadOnlyList<string>> UntilAsync(NodeSupervisor supervisor, Func<IReadOnlyList<string>, bool> holds)
    {
        for (var i = 0; i < 1000; i++)
        {
            var news = supervisor.Tick();
            if (holds(news))
            {
                return news;
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException("it never came to that");
    }
}
