using Kv.Chaos.Checks;
using Kv.Chaos.Rings;
using Xunit;

namespace Kv.Chaos.Tests.Checks;

public sealed class QueueCheckTests
{
    private readonly QueueCheck check = new();

    [Fact]
    public void QueuesWithinTheirBounds_AreRight_AndTheFullestIsTold()
    {
        check.Note("n0", Shown(("mailbox", 3, 10), ("requests", 5, 100)));
        check.Note("n1", Shown(("mailbox", 10, 10), ("requests", 0, 100)));
        check.Note("n1", Shown(("mailbox", 0, 10), ("requests", 0, 100)));
        Assert.Empty(check.Problems);
        Assert.Equal("of 2 queues the fullest was mailbox of n1: 10 of 10", check.Fullest);
    }

    [Fact]
    public void OneThatOnceHeldMore_IsTold()
    {
        check.Note("n0", Shown(("mailbox", 11, 10)));
        check.Note("n0", Shown(("mailbox", 0, 10)));
        Assert.Equal("n0 had 11 in mailbox, which may hold 10", Assert.Single(check.Problems));
    }

    [Fact]
    public void AQueueWithoutABound_OrAMemberWithoutQueues_ShowsNothing()
    {
        check.Note("n0", new MetricsText("kv_ring_version 3\nkv_queue_depth{queue=\"mailbox\"} 1\nkv_queue_limit{queue=\"requests\"} 1\n"));
        check.Note("n1", new MetricsText("kv_ring_version 3\n"));
        check.Note("n2", new MetricsText("kv_ring_version 0\n"));
        Assert.Equal(["n0 told of mailbox without its bound", "n0 told of no queue", "n1 told of no queue"], check.Problems);
    }

    [Fact]
    public void AMemberThatStops_HasNoQueuesAnyMore()
    {
        check.Note("n0", Shown(("mailbox", 3, 10)));
        check.Note("n0", new MetricsText("kv_ring_version 3\n"));
        check.Note("n0", new MetricsText("kv_ring_version 3\nkv_queue_depth{queue=\"mailbox\"} 1\n"));
        Assert.Empty(check.Problems);
    }

    [Fact]
    public void WhereNobodyWasAsked_NothingIsShown() => Assert.Single(check.Problems);

    private static MetricsText Shown(params (string Queue, int Depth, int Limit)[] queues) => new(
        "# TYPE kv_queue_depth gauge\n"
        + string.Concat(queues.Select(one => FormattableString.Invariant($"kv_queue_depth{{otel_scope_name=\"Kv.Cluster\",queue=\"{one.Queue}\"}} {one.Depth} 1700000000000\n")))
        + "# TYPE kv_queue_limit gauge\n"
        + string.Concat(queues.Select(one => FormattableString.Invariant($"kv_queue_limit{{otel_scope_name=\"Kv.Cluster\",queue=\"{one.Queue}\"}} {one.Limit}\n"))));
}
