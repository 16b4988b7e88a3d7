using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class LeaderElectionTests
{
    private readonly FakeKubernetes api = new();
    private readonly FakeTimeProvider time = new(DateTimeOffset.UnixEpoch.AddYears(50));

    [Fact]
    public async Task Second_WaitsUntilTheFirstGivesTheLeaseBack()
    {
        using var first = new CancellationTokenSource();
        var a = Candidate("a");
        await a.AcquireAsync(TestContext.Current.CancellationToken);
        var holding = a.HoldAsync(first.Token);
        var b = Candidate("b").AcquireAsync(TestContext.Current.CancellationToken);
        Assert.False(b.IsCompleted);

        await first.CancelAsync();
        Assert.False(await holding);
        time.Advance(LeaderElection.RetryPeriod);
        await b;
        var lease = await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken);
        Assert.Equal("b", lease!["spec"]!["holderIdentity"]!.ToString());
        Assert.Equal(1, lease["spec"]!["leaseTransitions"]!.GetValue<int>());
    }

    [Fact]
    public async Task Second_TakesTheLeaseOfOneThatDied_ButNotBeforeItRanOut()
    {
        await Candidate("a").AcquireAsync(TestContext.Current.CancellationToken);
        var b = Candidate("b").AcquireAsync(TestContext.Current.CancellationToken);
        for (var waited = TimeSpan.Zero; waited < LeaderElection.LeaseDuration - LeaderElection.RetryPeriod; waited += LeaderElection.RetryPeriod)
        {
            time.Advance(LeaderElection.RetryPeriod);
        }

        Assert.False(b.IsCompleted);
        time.Advance(LeaderElection.RetryPeriod * 2);
        await b;
    }

    [Fact]
    public async Task Leader_ThatLostItsLease_IsTold()
    {
        var a = Candidate("a");
        await a.AcquireAsync(TestContext.Current.CancellationToken);
        var lost = a.HoldAsync(CancellationToken.None);
        var lease = (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!;
        lease["spec"]!["holderIdentity"] = "thief";
        await api.ReplaceAsync(ResourceKind.Lease, "ns", "lease", lease, TestContext.Current.CancellationToken);
        time.Advance(LeaderElection.RetryPeriod);
        Assert.True(await lost.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    /// <summary>A connection that is half open keeps a request for longer than the lease has left.</summary>
    [Fact]
    public async Task Leader_WhoseRenewalHangs_LeadsNoLongerThanItMayThinkItsLeaseHolds()
    {
        var a = Candidate("a");
        await a.AcquireAsync(TestContext.Current.CancellationToken);
        var lost = a.HoldAsync(CancellationToken.None);
        api.BeforeGet = cancel => Task.Delay(Timeout.Infinite, cancel);
        for (var waited = TimeSpan.Zero; waited < LeaderElection.RenewDeadline; waited += LeaderElection.RetryPeriod)
        {
            Assert.False(lost.IsCompleted);
            time.Advance(LeaderElection.RetryPeriod);
        }

        Assert.True(await lost.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Leader_ThatIsToldToEndWhileItsRenewalHangs_GivesTheLeaseBack()
    {
        using var end = new CancellationTokenSource();
        var a = Candidate("a");
        await a.AcquireAsync(TestContext.Current.CancellationToken);
        var holding = a.HoldAsync(end.Token);
        api.BeforeGet = cancel => Task.Delay(cancel.CanBeCanceled ? Timeout.Infinite : 0, cancel);
        time.Advance(LeaderElection.RetryPeriod);
        await end.CancelAsync();
        Assert.False(await holding.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        var lease = await api.GetAsync(ResourceKind.Lease, "ns", "lease", CancellationToken.None);
        Assert.Equal("", lease!["spec"]!["holderIdentity"]!.ToString());
    }

    private LeaderElection Candidate(string identity) => new(api, "ns", "lease", identity, time, NullLogger.Instance);
}
