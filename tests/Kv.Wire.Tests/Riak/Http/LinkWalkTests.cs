using System.Text;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Wire.Riak.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Links followed: `a` leads to `b1` and `b2` as a friend and to `c` as an enemy, `b1` and `b2` both to `d`.</summary>
public sealed class LinkWalkTests(RiakServer server) : IClassFixture<RiakServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OneStep_HasTheObjectsOfItsLinks()
    {
        await LinkAsync();
        var step = Assert.Single(await WalkAsync("/buckets/walk/keys/a/_,friend,_"));
        Assert.Equal(["of b1", "of b2"], step.Select(part => part.Body).Order());
        var first = step.Single(part => part.Body == "of b1").Headers;
        Assert.Equal(("/buckets/walk/keys/b1", "text/plain"), (first["Location"], first["Content-Type"]));
        Assert.Equal("</buckets/walk>; rel=\"up\", </buckets/walk/keys/d>; riaktag=\"next\"", first["Link"]);
        using var alone = await server.SendAsync("GET", "/buckets/walk/keys/b1");
        Assert.Equal(alone.Headers.GetValues("X-Riak-Vclock").Single(), first["X-Riak-Vclock"]);
        Assert.Equal(alone.Headers.ETag!.Tag.Trim('"'), first["Etag"]);
    }

    [Theory]
    [InlineData("_,_,_", "of b1|of b2|of c")]
    [InlineData("walk,_,_", "of b1|of b2")]
    [InlineData("walk%20too,_,1", "of c")]
    [InlineData("walk,enemy,_", "")]
    [InlineData("_,friend,_/_,next,_", "of d")]
    [InlineData("_,friend,1/_,next,_", "of b1|of b2;of d")]
    [InlineData("_,friend,1/_,next,0", "of b1|of b2")]
    [InlineData("_,friend,0/_,next,1/_,_,1", "of d;")]
    public async Task Steps_AreTakenOneAfterAnother_AndThoseToKeepAreParts(string steps, string expected)
    {
        await LinkAsync();
        var parts = await WalkAsync($"/buckets/walk/keys/a/{steps}");
        Assert.Equal(expected, string.Join(';', parts.Select(step => string.Join('|', step.Select(part => part.Body).Order()))));
    }

    [Fact]
    public async Task ATag_IsTheSameInAHeaderAndInAStep()
    {
        await LinkAsync();
        await PutAsync("/buckets/walk/keys/tagged", "v", "</buckets/walk/keys/d>; riaktag=\"next%20step\"");
        var step = Assert.Single(await WalkAsync("/buckets/walk/keys/tagged/_,next%20step,1"));
        Assert.Equal("of d", Assert.Single(step).Body);
    }

    [Fact]
    public async Task TheOldForm_IsAnsweredInTheOldForm()
    {
        await LinkAsync();
        var parts = Assert.Single(await WalkAsync("/riak/walk/a/_,enemy,1"));
        Assert.Equal("/riak/walk%20too/c", Assert.Single(parts).Headers["Location"]);
    }

    [Fact]
    public async Task SiblingsLinks_AreFollowed_AndSiblingsAreEachAPart()
    {
        const string Typed = "/types/siblings/buckets/walk/keys/start";
        await LinkAsync();
        await PutAsync(Typed, "one", "</buckets/walk/keys/b1>; riaktag=\"x\"");
        await PutAsync(Typed, "two", "</buckets/walk/keys/b2>; riaktag=\"x\"");
        var step = Assert.Single(await WalkAsync($"{Typed}/_,x,_"));
        Assert.Equal(["of b1", "of b2"], step.Select(part => part.Body).Order());
    }

    [Fact]
    public async Task WhatIsNotThere_IsPassedOver()
    {
        await PutAsync("/buckets/walk/keys/dangling", "v", "</buckets/walk/keys/nobody>; riaktag=\"x\"");
        Assert.Empty(Assert.Single(await WalkAsync("/buckets/walk/keys/dangling/_,_,_")));
    }

    [Fact]
    public async Task MoreObjectsThanTheBound_AreRefused()
    {
        for (var part = 0; part < 2; part++)
        {
            var links = string.Join(", ", Enumerable.Range(part * 600, 600).Select(number => $"</buckets/walk/keys/n{number}>; riaktag=\"x\""));
            await PutAsync("/types/siblings/buckets/walk/keys/many", "v", links);
        }

        using var answer = await server.SendAsync("GET", "/types/siblings/buckets/walk/keys/many/_,_,_");
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Contains("more than 1000 objects", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("_,x,0/_,x,1", 400)]
    [InlineData("_,x,1", 400)]
    [InlineData("_,y,0/_,x,1", 200)]
    public async Task LinksAndMetadata_CountAgainstTheBound_KeptOrNot(string steps, int status)
    {
        foreach (var name in new[] { "fat1", "fat2" })
        {
            await PutAsync($"/buckets/walk/keys/{name}", "v", "", "\nX-Riak-Meta-Fat: " + new string('m', RiakServer.MaxObjectBytes * 5 / 8));
        }

        await PutAsync("/buckets/walk/keys/tofat", "v", "</buckets/walk/keys/fat1>; riaktag=\"x\", </buckets/walk/keys/fat2>; riaktag=\"x\", </buckets/walk/keys/fat1>; riaktag=\"y\"");
        using var answer = await server.SendAsync("GET", $"/buckets/walk/keys/tofat/{steps}");
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task LinksThatNameNothing_ArePassedOver()
    {
        await using var roomy = new RiakServer { Options = new RiakHttpOptions() };
        await roomy.InitializeAsync();
        var metadata = ObjectMetadata.Empty with
        {
            Links = [new("seed", "", "x"), new("", "k", "x"), new("seed", new string('k', ObjectKey.MaxKeyBytes + 1), "x"), new(new string('b', ObjectKey.MaxBucketBytes + 1), "k", "x"), new("seed", "plain", "x")],
        };
        var put = new KvRequest.Put { Key = new ObjectKey(ObjectKey.DefaultType, "walk", "odd"), Content = new Sibling { Dot = null, Value = "v"u8.ToArray(), Metadata = metadata } };
        Assert.IsNotType<KvOutcome.Failed>(await roomy.Door.ExecuteAsync(put, Cancel));
        Assert.Equal("hello", Assert.Single(Assert.Single(await WalkAsync(roomy, "/buckets/walk/keys/odd/_,x,_"))).Body);
    }

    [Theory]
    [InlineData("?timeout=10000000", 200)]
    [InlineData("?timeout=2500000", 503)]
    [InlineData("", 503)]
    [InlineData("?timeout=soon", 400)]
    public async Task OneTimeout_IsForAllOfAWalk(string query, int status)
    {
        var time = new AskedTime();
        await using var own = new RiakServer { Time = time };
        await own.InitializeAsync();
        await own.SendAsync("PUT", "/buckets/walk/keys/a", "Content-Type: text/plain\nLink: </buckets/seed/keys/plain>; riaktag=\"x\", </buckets/seed/keys/json>; riaktag=\"x\"", "v");
        time.Step = TimeSpan.FromSeconds(1000);
        using var answer = await own.SendAsync("GET", $"/buckets/walk/keys/a/_,_,_{query}");
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task MoreWalksAtOnceThanTheBound_AreRefused_AndTheirPlacesComeBack()
    {
        using var goOn = new ManualResetEventSlim();
        using var held = new SemaphoreSlim(0);
        var time = new AskedTime();
        await using var own = new RiakServer { Time = time, Options = new RiakHttpOptions { MaxWalks = 1 } };
        await own.InitializeAsync();
        time.Asked = () =>
        {
            held.Release();
            goOn.Wait(Cancel);
        };
        var first = own.SendAsync("GET", "/buckets/seed/keys/plain/_,_,_");
        await held.WaitAsync(Cancel);
        using (var second = await own.SendAsync("GET", "/buckets/seed/keys/plain/_,_,_"))
        {
            Assert.Equal((503, "overload\n"), ((int)second.StatusCode, await second.Content.ReadAsStringAsync(Cancel)));
        }

        goOn.Set();
        using var answer = await first;
        Assert.Equal(200, (int)answer.StatusCode);
        await UntilAsync(async () =>
        {
            using var after = await own.SendAsync("GET", "/buckets/seed/keys/plain/_,_,_");
            return (int)after.StatusCode == 200;
        });
    }

    [Fact]
    public async Task AClientThatDoesNotTakeItsAnswerInTime_LosesItsPlace()
    {
        const int ValueBytes = 4 * 1024 * 1024;
        const int Seconds = 24;
        var time = new TimeOfSending();
        await using var own = new RiakServer { Time = time, Options = new RiakHttpOptions { MaxWalks = 1, LeastBytesPerSecond = 6 * ValueBytes / Seconds } };
        await own.InitializeAsync();

        // A request's own time, and what its bytes take at the least rate.
        time.Patience = own.Door.RequestTimeout + TimeSpan.FromSeconds(Seconds);
        for (var number = 0; number < 6; number++)
        {
            using var put = await own.SendAsync("PUT", $"/buckets/walk/keys/long{number}", "Content-Type: text/plain", new byte[ValueBytes]);
            Assert.Equal(204, (int)put.StatusCode);
        }

        var links = string.Join(", ", Enumerable.Range(0, 6).Select(number => $"</buckets/walk/keys/long{number}>; riaktag=\"x\""));
        using var start = await own.SendAsync("PUT", "/buckets/walk/keys/start", $"Content-Type: text/plain\nLink: {links}", "v");
        using var still = new System.Net.Sockets.TcpClient();
        await still.ConnectAsync(own.EndPoint, Cancel);
        await still.GetStream().WriteAsync("GET /buckets/walk/keys/start/_,_,1 HTTP/1.1\r\nHost: here\r\n\r\n"u8.ToArray(), Cancel);
        await UntilAsync(() => Task.FromResult(time.IsSending));
        using (var second = await own.SendAsync("GET", "/buckets/seed/keys/plain/_,_,_"))
        {
            Assert.Equal(503, (int)second.StatusCode);
        }

        time.EndPatience();
        await UntilAsync(async () =>
        {
            using var after = await own.SendAsync("GET", "/buckets/seed/keys/plain/_,_,_");
            return (int)after.StatusCode == 200;
        });
    }

    [Theory]
    [InlineData("a,b", 400)]
    [InlineData("a,b,2", 400)]
    [InlineData("a,b,c,d", 400)]
    [InlineData("a,%FF,1", 400)]
    [InlineData("_,_,_/x", 404)]
    public async Task StepsThatAreNone_AreRefused(string steps, int status)
    {
        await LinkAsync();
        using var answer = await server.SendAsync("GET", $"/buckets/walk/keys/a/{steps}");
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task AStartThatIsNotThere_Is404_AndAPost405()
    {
        using var missing = await server.SendAsync("GET", "/buckets/walk/keys/nothing/_,_,_");
        Assert.Equal((404, "not found\n"), ((int)missing.StatusCode, await missing.Content.ReadAsStringAsync(Cancel)));
        using var posted = await server.SendAsync("POST", "/buckets/walk/keys/a/_,_,_", "Content-Type: text/plain", "v");
        Assert.Equal(405, (int)posted.StatusCode);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(10, Cancel);
        }
    }

    private Task<List<List<(Dictionary<string, string> Headers, string Body)>>> WalkAsync(string path) => WalkAsync(server, path);

    private static async Task<List<List<(Dictionary<string, string> Headers, string Body)>>> WalkAsync(RiakServer server, string path)
    {
        using var answer = await server.SendAsync("GET", path);
        Assert.Equal(200, (int)answer.StatusCode);
        var steps = MultipartParser.Parse(answer.Content.Headers.ContentType!.ToString(), await answer.Content.ReadAsByteArrayAsync(Cancel));
        return [.. steps.Select(step => MultipartParser.Parse(step.Headers["Content-Type"], Encoding.Latin1.GetBytes(step.Body)))];
    }

    private async Task LinkAsync()
    {
        await PutAsync("/buckets/walk/keys/d", "of d", "");
        await PutAsync("/buckets/walk%20too/keys/c", "of c", "");
        await PutAsync("/buckets/walk/keys/b1", "of b1", "</buckets/walk/keys/d>; riaktag=\"next\"");
        await PutAsync("/buckets/walk/keys/b2", "of b2", "</buckets/walk/keys/d>; riaktag=\"next\"");
        await PutAsync(
            "/buckets/walk/keys/a",
            "of a",
            "</buckets/walk/keys/b1>; riaktag=\"friend\", </riak/walk/b2>; riaktag=\"friend\", </buckets/walk%20too/keys/c>; riaktag=\"enemy\"");
    }

    private async Task PutAsync(string path, string value, string links, string headers = "")
    {
        using var answer = await server.SendAsync("PUT", path, "Content-Type: text/plain" + (links.Length == 0 ? "" : $"\nLink: {links}") + headers, value);
        Assert.Equal(204, (int)answer.StatusCode);
    }

    /// <summary>The machine's, but that the time that an answer may take ends when the test says so.</summary>
    private sealed class TimeOfSending : TimeProvider
    {
        private volatile Action? end;

        public TimeSpan Patience { get; set; }

        public bool IsSending => end is not null;

        public void EndPatience() => end!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < Patience || dueTime > Patience + TimeSpan.FromSeconds(1))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            end ??= () => callback(state);
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Goes on by a step each time that it is asked, and says that it was.</summary>
    private sealed class AskedTime : TimeProvider
    {
        private long passed;

        public TimeSpan Step { get; set; }

        public Action Asked { get; set; } = static () => { };

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            Asked();
            return Interlocked.Add(ref passed, Step.Ticks);
        }
    }
}
