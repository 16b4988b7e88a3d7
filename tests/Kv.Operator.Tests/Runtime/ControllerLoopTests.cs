using System.Net;
using System.Text.Json.Nodes;
using Kv.Operator.Abstractions;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

/// <summary>An object's way through its controller: finalizers first, and again when it should be.</summary>
public sealed class ControllerLoopTests : IAsyncLifetime
{
    private const string Ours = "kv.dev/test";
    private static readonly ObjectKey Key = new("default", "example");
    private readonly FakeKubernetes api = new();
    private readonly FakeTimeProvider time = new();
    private readonly OperatorMetrics metrics = new();
    private readonly CancellationTokenSource stop = new();
    private readonly StubController<Cluster> controller = new();
    private readonly StubFinalizer finalizer = new();
    private readonly WorkQueue<ObjectKey> queue;
    private Task running = Task.CompletedTask;

    public ControllerLoopTests() => queue = new WorkQueue<ObjectKey>(time, new Random(1));

    [Fact]
    public async Task Finalizer_ThatIsNeeded_IsAttachedBeforeThePass_BesideThoseOfOthers()
    {
        finalizer.Needed = true;
        Write(["other.dev/x"], isDeleted: false);
        Start();
        await controller.PassedAsync(1);
        Assert.Equal(["other.dev/x", Ours], await FinalizersAsync());
        Assert.Equal(1, api.Writes);
    }

    [Fact]
    public async Task Finalizer_ThatIsNeededNoMore_IsTakenAway_AndThoseOfOthersStay()
    {
        Write([Ours, "other.dev/x"], isDeleted: false);
        Start();
        await controller.PassedAsync(1);
        Assert.Equal(["other.dev/x"], await FinalizersAsync());
    }

    [Fact]
    public async Task Finalizer_OfAnObjectThatSomebodyWritesMeanwhile_IsAttachedToWhatIsThereThen()
    {
        finalizer.Needed = true;
        Write(null, isDeleted: false);
        api.BeforePatch = () => Write(["other.dev/x"], isDeleted: false);
        Start();
        await controller.PassedAsync(1);
        Assert.Equal(["other.dev/x", Ours], await FinalizersAsync());
    }

    [Fact]
    public async Task Object_ThatIsDeleted_IsFinalizedUntilThatIsDone_AndOnlyThenLosesOurs()
    {
        finalizer.Needed = true;
        finalizer.Again = TimeSpan.FromSeconds(2);
        Write(["other.dev/x", Ours], isDeleted: true);
        Start();
        await finalizer.AskedAsync(1);
        Assert.Equal(["other.dev/x", Ours], await FinalizersAsync());

        finalizer.Again = null;
        time.Advance(TimeSpan.FromSeconds(2));
        await finalizer.AskedAsync(2);
        await UntilAsync(async () => await FinalizersAsync() is ["other.dev/x"]);
        Assert.Empty(controller.Passes);
    }

    [Fact]
    public async Task Object_ThatIsDeleted_WithOurFinalizerAlone_IsGoneAfterwards()
    {
        finalizer.Needed = true;
        Write([Ours], isDeleted: true);
        Start();
        await UntilAsync(async () => await api.GetAsync(ResourceKind.Cluster, Key.Namespace, Key.Name, CancellationToken.None) is null);
        Assert.Equal(1, finalizer.Asked);
    }

    [Fact]
    public async Task Finalizer_ThatFails_StaysAttached_AndIsAskedAgainAfterTheBackoff()
    {
        finalizer.Needed = true;
        finalizer.Fails = true;
        Write([Ours], isDeleted: true);
        Start();
        await finalizer.AskedAsync(1);
        await QuietAsync();
        Assert.Equal(1, finalizer.Asked);
        Assert.Equal([Ours], await FinalizersAsync());
        time.Advance(WorkQueue<ObjectKey>.FirstBackoff * 1.1);
        await finalizer.AskedAsync(2);
    }

    [Fact]
    public async Task Conflict_IsTriedAgainAtOnce_WithTheObjectAsItIsNow()
    {
        Write(null, isDeleted: false);
        var seen = new List<string>();
        controller.Answer = (entity, before) =>
        {
            seen.Add(entity.Metadata.ResourceVersion);
            if (before == 0)
            {
                Write(null, isDeleted: false);
                throw new KubernetesApiException(HttpStatusCode.Conflict, "the object has been modified");
            }

            return ReconciliationResult<Cluster>.Success(entity);
        };
        Start();
        await controller.PassedAsync(2);
        Assert.Equal(2, seen.Distinct().Count());
    }

    [Theory]
    [InlineData("a failure")]
    [InlineData("an error")]
    public async Task Failure_IsTriedAgain_EverMoreSlowly_AndASuccessForgetsIt(string how)
    {
        Write(null, isDeleted: false);
        controller.Answer = (entity, before) => before is 2 or > 3 ? ReconciliationResult<Cluster>.Success(entity)
            : how == "a failure" ? ReconciliationResult<Cluster>.Failure(entity, "no")
            : throw new InvalidOperationException("no");
        Start();
        await controller.PassedAsync(1);
        await PassesAfterAsync(WorkQueue<ObjectKey>.FirstBackoff, 2);
        await PassesAfterAsync(WorkQueue<ObjectKey>.FirstBackoff * 2, 3);
        queue.Add(Key);
        await controller.PassedAsync(4);
        await PassesAfterAsync(WorkQueue<ObjectKey>.FirstBackoff, 5);
    }

    [Fact]
    public async Task Success_ThatAsksForAnotherPass_GetsItThen_AndOneThatDoesNotGetsNone()
    {
        Write(null, isDeleted: false);
        controller.Answer = (entity, before) => ReconciliationResult<Cluster>.Success(entity, before == 0 ? TimeSpan.FromSeconds(30) : null);
        Start();
        await controller.PassedAsync(1);
        await PassesAfterAsync(TimeSpan.FromSeconds(30), 2);
        await QuietAsync();
        Assert.Equal(0, queue.Depth);
    }

    /// <summary>The controller knows when it can succeed at the earliest, and not how often it has failed already.</summary>
    [Fact]
    public async Task Failure_ThatSaysWhen_IsTriedNoSooner_AndEverMoreSlowlyToItsBound()
    {
        Write(null, isDeleted: false);
        controller.Answer = (entity, before) => before == 5
            ? ReconciliationResult<Cluster>.Success(entity)
            : ReconciliationResult<Cluster>.Failure(entity, "no", TimeSpan.FromSeconds(3)) with { LongestBackoff = TimeSpan.FromSeconds(6) };
        Start();
        await controller.PassedAsync(1);
        foreach (var (seconds, passes) in new[] { (3, 2), (3, 3), (4, 4), (6, 5), (6, 6) })
        {
            await PassesAfterAsync(TimeSpan.FromSeconds(seconds), passes);
        }

        // The success forgot them.
        queue.Add(Key);
        await controller.PassedAsync(7);
        await PassesAfterAsync(TimeSpan.FromSeconds(3), 8);
    }

    /// <summary>Three workers of four would look alive.</summary>
    [Fact]
    public async Task Worker_ThatEndsByItself_EndsTheOthers()
    {
        Write(null, isDeleted: false);
        controller.Answer = (entity, _) => ReconciliationResult<Cluster>.Failure(entity, "no");
        queue.Add(Key);
        var ended = new ControllerLoop<Cluster>(api, ResourceKind.Cluster, controller, [finalizer], queue, metrics, new BrokenLog()).RunAsync(stop.Token);
        await UntilAsync(() => Task.FromResult(ended.IsCompleted));
        Assert.Equal("the log is broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => ended)).Message);
    }

    [Fact]
    public async Task Object_ThatIsGone_IsToldToItsController()
    {
        Start();
        await UntilAsync(() => Task.FromResult(controller.Deletions.Count == 1));
        Assert.Equal([Key.Name], controller.Deletions);
    }

    /// <summary>Another's finalizer holds it: it is not gone, and there is nothing for us to do.</summary>
    [Fact]
    public async Task Object_ThatIsDeletedButNotGone_IsNeitherReconciledNorToldAsGone()
    {
        Write(["other.dev/x"], isDeleted: true);
        Start();
        await UntilAsync(() => Task.FromResult(api.Gets > 0));
        await QuietAsync();
        Assert.Empty(controller.Deletions);
        Assert.Empty(controller.Passes);
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task Object_ThatIsGone_IsForgotten()
    {
        Start();
        await UntilAsync(() => Task.FromResult(queue.Depth == 0));
        await QuietAsync();
        Assert.Equal((0, 0), (queue.Depth, controller.Passes.Count));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        metrics.Dispose();
        stop.Dispose();
    }

    private void Start()
    {
        var loop = new ControllerLoop<Cluster>(api, ResourceKind.Cluster, controller, [finalizer], queue, metrics, NullLogger.Instance);
        queue.Add(Key);
        running = loop.RunAsync(stop.Token);
    }

    /// <summary>Not a moment before so much time has passed.</summary>
    private async Task PassesAfterAsync(TimeSpan delay, int passes)
    {
        await UntilAsync(() => Task.FromResult(queue.Depth == 1));
        time.Advance(delay - TimeSpan.FromMilliseconds(1));
        await QuietAsync();
        Assert.Equal(passes - 1, controller.Passes.Count);
        // A tenth of jitter may be on top.
        time.Advance((delay / 10) + TimeSpan.FromMilliseconds(2));
        await controller.PassedAsync(passes);
    }

    private void Write(string[]? finalizers, bool isDeleted) => api.Put(ResourceKind.Cluster, new JsonObject
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = Key.Name,
            ["namespace"] = Key.Namespace,
            ["finalizers"] = finalizers is null ? null : new JsonArray([.. finalizers]),
            ["deletionTimestamp"] = isDeleted ? "2026-01-02T03:04:05Z" : null,
        },
        ["spec"] = new JsonObject(),
    });

    private async Task<string[]> FinalizersAsync() =>
        (await api.GetAsync(ResourceKind.Cluster, Key.Namespace, Key.Name, CancellationToken.None))?["metadata"]!["finalizers"] is JsonArray list ? [.. list.Select(one => one!.ToString())] : [];

    /// <summary>Until what happens without waiting for time has happened.</summary>
    private Task QuietAsync() => UntilAsync(() => Task.FromResult(queue.IsIdle));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 5000 && !await holds(); i++)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.True(await holds());
    }

    /// <summary>What a pass has no case for.</summary>
    private sealed class BrokenLog : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("the log is broken");
    }

    private sealed class StubFinalizer : IEntityFinalizer<Cluster>
    {
        private int asked;

        public string Identifier => Ours;

        public bool Needed { get; set; }

        public bool Fails { get; set; }

        public TimeSpan? Again { get; set; }

        public int Asked => Volatile.Read(ref asked);

        public bool IsNeeded(Cluster entity) => Needed;

        public Task<ReconciliationResult<Cluster>> FinalizeAsync(Cluster entity, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref asked);
            return Task.FromResult(Fails ? ReconciliationResult<Cluster>.Failure(entity, "no") : ReconciliationResult<Cluster>.Success(entity, Again));
        }

        public Task AskedAsync(int times) => UntilAsync(() => Task.FromResult(Asked >= times));
    }
}
