using System.Collections.Immutable;
using System.Text;
using Kv.Cluster.Hooks;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Wire.Hooks;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Hooks;

/// <summary>Hooks over real sockets: what they are shown, every answer that they may give, and the bounds.</summary>
public sealed class HttpCommitHooksTests : IAsyncLifetime
{
    private const string Shown = """{"bucket_type":"t","bucket":"b","key":"k%FF","vclock":"VCLOCK","values":[{"metadata":{"content-type":"text/plain","Links":[["b2","k2","friend"]],"X-Riak-Meta":{"color":"blue"},"index":{"age_int":["7","8"]}},"data":"v\u0000w"}]}""";

    private static readonly ObjectKey Key = new("t", "b"u8.ToArray(), new byte[] { (byte)'k', 0xff });
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private HookServer server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await HookServer.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>Status, body, and what it comes to: `accepted`, `replaced: …`, `refused: …`, or why it is none.</summary>
    public static TheoryData<int, string, string> Answers => new()
    {
        { 204, "", "accepted" },
        { 200, "", "accepted" },
        { 200, """{"values":[{"data":"new"}]}""", "replaced: new text/plain blue 7,8 friend" },
        { 200, """{"bucket":"other","values":[{"data":"AP8=","encoding":"base64","metadata":{"content-type":"image/png","X-Riak-VTag":"x","X-Riak-Last-Modified":"y"}}]}""", "replaced: 00FF image/png   " },
        { 200, """{"values":[{"data":"","metadata":{"X-Riak-Meta":{"color":["red"]},"index":{"Age_INT":"3"},"Links":[["a","b","c"]]}}]}""", "replaced:   red 3 c" },
        { 403, "", "refused: " },
        { 403, "too long\n", "refused: too long" },
        { 403, "two\r\nlines\u0000", "refused: two  lines " },
        { 200, "yes", "answered with an object that cannot be taken: it is not JSON of that form" },
        { 200, "[]", "answered with an object that cannot be taken: it has not exactly one value" },
        { 200, """{"values":[]}""", "answered with an object that cannot be taken: it has not exactly one value" },
        { 200, """{"values":[{"data":"a"},{"data":"b"}]}""", "answered with an object that cannot be taken: it has not exactly one value" },
        { 200, """{"values":[{"data":7}]}""", "answered with an object that cannot be taken: its value has no data" },
        { 200, """{"values":[{"data":"?","encoding":"base64"}]}""", "answered with an object that cannot be taken: it is not JSON of that form" },
        { 200, """{"values":[{"data":"a","encoding":"gzip"}]}""", "answered with an object that cannot be taken: its value has no data" },
        { 200, """{"values":[{"data":"a","metadata":[]}]}""", "answered with an object that cannot be taken: its metadata are no object" },
        { 200, """{"values":[{"data":"a","metadata":{"X-Riak-Deleted":"true"}}]}""", "answered with an object that cannot be taken: it is not JSON of that form" },
        { 200, """{"values":[{"data":"a","metadata":{"content-type":7}}]}""", "answered with an object that cannot be taken: it is not JSON of that form" },
        { 200, """{"values":[{"data":"a","metadata":{"index":{"age_int":"x"}}}]}""", "answered with an object that cannot be taken: its index entry age_int is none" },
        { 200, """{"values":[{"data":"a","metadata":{"Links":[["a"]]}}]}""", "answered with an object that cannot be taken: it is not JSON of that form" },
        { 200, "{\"values\":" + new string('[', 100), "answered with an object that cannot be taken: it is not JSON of that form" },
        { 302, "", "answered with status 302" },
        { 404, "nothing here", "answered with status 404" },
        { 500, "", "answered with status 500" },
        { 200, new string(' ', 100_000), "answered more than 32840 bytes" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Answer_OfAHook_IsTakenForWhatItIs(int status, string body, string expected)
    {
        server.Answer = (http, _) =>
        {
            http.Response.Headers.Location = "/elsewhere";
            return HookServer.Send(http, status, body);
        };
        await using var strict = Hooks("check=" + server.Address);
        Assert.Equal(expected, Told(await strict.AskAsync("check", Key, Proposed(), Patience)));
        Assert.Single(server.Seen);

        await using var lenient = Hooks("check:ignore=" + server.Address);
        var ignored = await lenient.AskAsync("check", Key, Proposed(), Patience);
        Assert.Equal(expected.StartsWith("answered", StringComparison.Ordinal) ? "accepted" : expected, Told(ignored));
    }

    [Fact]
    public async Task Hook_IsShownTheObject_AsRiaksJsonHasIt()
    {
        await using var hooks = Hooks("check=" + server.Address + "a/path?x=1");
        await hooks.AskAsync("check", Key, Proposed("plain \"text\"\n"), Patience);
        await hooks.AskAsync("check", Key, Proposed("v\0w"), Patience);
        var vclock = Convert.ToBase64String(CausalContext.Encode(VersionVector.Empty));
        var shown = Shown.Replace("VCLOCK", vclock, StringComparison.Ordinal);
        Assert.Equal(
            [
                ("/a/path", "precommit", shown.Replace("v\\u0000w", "plain \\\"text\\\"\\n", StringComparison.Ordinal)),
                ("/a/path", "precommit", shown.Replace("\"v\\u0000w\"", "\"dgB3\",\"encoding\":\"base64\"", StringComparison.Ordinal)),
            ],
            server.Seen);
    }

    [Fact]
    public async Task Hook_ThatDoesNotAnswer_OrIsNotThere_HasFailed()
    {
        server.Answer = static (http, _) => Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
        await using var hooks = Hooks("slow=" + server.Address + ",gone=http://127.0.0.1:1/", options => options with { Timeout = TimeSpan.FromMilliseconds(200) });
        Assert.Equal("did not answer in 200 ms", Told(await hooks.AskAsync("slow", Key, Proposed(), Patience)));
        Assert.Equal("did not answer in 50 ms", Told(await hooks.AskAsync("slow", Key, Proposed(), TimeSpan.FromMilliseconds(50))));
        Assert.StartsWith("cannot be reached", Told(await hooks.AskAsync("gone", Key, Proposed(), Patience)), StringComparison.Ordinal);
        var unknown = Assert.IsType<PreCommitAnswer.Failed>(await hooks.AskAsync("nosuch", Key, Proposed(), Patience));
        Assert.Equal("there is no hook named nosuch: the node's setting `hooks` does not give it an address", unknown.Reason);
    }

    [Fact]
    public async Task Hooks_BeyondTheBound_AreNotAsked_AndLargeObjectsNotShown()
    {
        var go = new TaskCompletionSource();
        server.Answer = async (http, _) => await go.Task;
        await using var hooks = Hooks("check=" + server.Address + ",lenient:ignore=" + server.Address, options => options with { MaxCalls = 1, MaxObjectBytes = 1024 });
        var first = hooks.AskAsync("check", Key, Proposed(), Patience);
        await WaitAsync(() => !server.Seen.IsEmpty);
        Assert.IsType<PreCommitAnswer.Overloaded>(await hooks.AskAsync("check", Key, Proposed(), Patience));
        Assert.IsType<PreCommitAnswer.Accepted>(await hooks.AskAsync("lenient", Key, Proposed(), Patience));
        go.SetResult();
        Assert.IsType<PreCommitAnswer.Accepted>(await first);
        Assert.IsType<PreCommitAnswer.Accepted>(await hooks.AskAsync("check", Key, Proposed(), Patience));
        Assert.Equal("is shown objects of at most 1024 bytes, and this one has 1025", Told(await hooks.AskAsync("check", Key, KvObject.AsSent(new Sibling { Dot = null, Value = new byte[1025] }, VersionVector.Empty), Patience)));
    }

    [Fact]
    public async Task Hooks_TakeRoomOfTheRequestsMemory_AndGiveItBack()
    {
        var memory = new RequestMemory(1024 * 1024, TimeProvider.System);
        await using var hooks = Hooks("check=" + server.Address, memory: memory);
        var all = memory.Clients.Bytes;
        Assert.True(memory.Clients.TryTakeMore(all - (60 * 1024)));
        Assert.IsType<PreCommitAnswer.Overloaded>(await hooks.AskAsync("check", Key, Proposed(), Patience));
        memory.Clients.Release(all - (60 * 1024));
        Assert.IsType<PreCommitAnswer.Accepted>(await hooks.AskAsync("check", Key, Proposed(), Patience));
        Assert.Equal(0, memory.Clients.Used);
    }

    [Fact]
    public async Task Told_AHookIsAskedAgain_WhereThatCanHelp()
    {
        var answers = new Queue<int>([503, 204, 400, 500, 500, 500]);
        server.Answer = (http, _) => HookServer.Send(http, answers.Dequeue());
        await using var hooks = Hooks("tell=" + server.Address, options => options with { Tellers = 1, Retries = [TimeSpan.Zero, TimeSpan.Zero] });
        for (var i = 1; i <= 3; i++)
        {
            hooks.Tell("tell", Key, Proposed($"value{i}"));
        }

        await WaitAsync(() => hooks.Dropped == 2);
        Assert.Equal([1, 1, 2, 3, 3, 3], server.Seen.Select(seen => Enumerable.Range(1, 3).Single(i => seen.Body.Contains($"value{i}", StringComparison.Ordinal))));
        Assert.All(server.Seen, seen => Assert.Equal("postcommit", seen.Event));
    }

    [Fact]
    public async Task Told_BeyondTheBounds_IsDroppedAndCounted()
    {
        var go = new TaskCompletionSource();
        server.Answer = async (http, _) => await go.Task;
        await using var hooks = Hooks("tell=" + server.Address, options => options with { Tellers = 1, QueueLength = 2, MaxObjectBytes = 1024 });
        hooks.Tell("tell", Key, Proposed("first"));
        await WaitAsync(() => !server.Seen.IsEmpty);
        for (var i = 0; i < 5; i++)
        {
            hooks.Tell("tell", Key, Proposed());
        }

        Assert.Equal(3, hooks.Dropped);
        hooks.Tell("nosuch", Key, Proposed());
        hooks.Tell("tell", Key, KvObject.AsSent(new Sibling { Dot = null, Value = new byte[1025] }, VersionVector.Empty));
        Assert.Equal(5, hooks.Dropped);
        go.SetResult();
        await WaitAsync(() => server.Seen.Count == 3);
    }

    [Fact]
    public async Task Stop_TellsWhatWaits_AndDropsWhatNobodyTakes()
    {
        var memory = new RequestMemory(8 * 1024 * 1024, TimeProvider.System);
        var hooks = Hooks("tell=" + server.Address, options => options with { Tellers = 1 }, memory);
        for (var i = 0; i < 20; i++)
        {
            hooks.Tell("tell", Key, Proposed());
        }

        await hooks.DisposeAsync();
        Assert.Equal((20, 0), (server.Seen.Count, hooks.Dropped));

        server.Answer = static (http, _) => Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
        hooks = Hooks("tell=" + server.Address, options => options with { Tellers = 1, Timeout = TimeSpan.FromMilliseconds(100) }, memory);
        for (var i = 0; i < 20; i++)
        {
            hooks.Tell("tell", Key, Proposed());
        }

        await hooks.DisposeAsync();
        Assert.Equal(20, hooks.Dropped);
        Assert.Equal((0, 0), (memory.Clients.Used, memory.Told.Used));
    }

    [Theory]
    [InlineData("", 0, null)]
    [InlineData("a=http://h/x, b-2:ignore=https://h:8443/y?z=1,", 2, null)]
    [InlineData("a", 0, "must be NAME=URL")]
    [InlineData("A=http://h/", 0, "must be NAME=URL")]
    [InlineData("a=ftp://h/", 0, "must be NAME=URL")]
    [InlineData("a=/path", 0, "must be NAME=URL")]
    [InlineData("a=http://user:secret@h/", 0, "must be NAME=URL")]
    [InlineData("a=http://h/#x", 0, "must be NAME=URL")]
    [InlineData("a=http://h/,a=http://i/", 0, "names a twice")]
    public void Endpoints_AreReadFromTheSetting(string text, int count, string? problem)
    {
        Assert.Equal(problem is null, HookEndpoint.TryParse(text, out var endpoints, out var why));
        Assert.True(problem is null ? endpoints.Count == count : why!.StartsWith(problem, StringComparison.Ordinal), why);
        if (count == 2)
        {
            Assert.Equal([new HookEndpoint("a", new Uri("http://h/x"), false), new HookEndpoint("b-2", new Uri("https://h:8443/y?z=1"), true)], endpoints.Values);
        }
    }

    private static HttpCommitHooks Hooks(string endpoints, Func<HookOptions, HookOptions>? change = null, RequestMemory? memory = null)
    {
        Assert.True(HookEndpoint.TryParse(endpoints, out var parsed, out var problem), problem);
        var options = new HookOptions { Endpoints = parsed, Timeout = Patience };
        return new HttpCommitHooks(change is null ? options : change(options), memory ?? RequestMemory.Unbounded(), TimeProvider.System, NullLogger<HttpCommitHooks>.Instance);
    }

    private static KvObject Proposed(string value = "v") => KvObject.AsSent(
        new Sibling
        {
            Dot = null,
            Value = Encoding.UTF8.GetBytes(value),
            Metadata = new ObjectMetadata
            {
                ContentType = "text/plain",
                Links = [new Link("b2", "k2", "friend")],
                UserMetadata = [KeyValuePair.Create("color", "blue")],
                Indexes = [KeyValuePair.Create("age_int", "7"), KeyValuePair.Create("age_int", "8")],
            },
        },
        VersionVector.Empty);

    private static string Told(PreCommitAnswer answer) => answer switch
    {
        PreCommitAnswer.Accepted => "accepted",
        PreCommitAnswer.Replaced replaced => "replaced: " + Text(replaced.Content),
        PreCommitAnswer.Refused refused => "refused: " + refused.Message,
        PreCommitAnswer.Failed failed => failed.Reason[("the precommit hook ".Length + failed.Reason.Split(' ')[3].Length + 1)..],
        _ => "overloaded",
    };

    private static string Text(Sibling content)
    {
        var value = content.Value.Span.ContainsAnyInRange((byte)0, (byte)31) ? Convert.ToHexString(content.Value.Span) : Encoding.UTF8.GetString(content.Value.Span);
        var metadata = content.Metadata;
        return $"{value} {metadata.ContentType} {Joined(metadata.UserMetadata)} {Joined(metadata.Indexes)} {string.Join(',', metadata.Links.Select(link => link.Tag))}";
    }

    private static string Joined(ImmutableArray<KeyValuePair<string, string>> pairs) => string.Join(',', pairs.Select(pair => pair.Value));

    private static async Task WaitAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
