using System.Xml.Linq;
using Kv.Chaos.Load;
using Kv.Chaos.Reports;
using Xunit;

namespace Kv.Chaos.Tests.Reports;

public sealed class TimelinePictureTests
{
    [Fact]
    public void EmptyRun_IsAPicture() => Assert.Equal("svg", XDocument.Parse(TimelinePicture.Draw(new Timeline(), "nothing", 5, 1 << 30)).Root!.Name.LocalName);

    [Fact]
    public async Task Run_ShowsItsFaultsByName()
    {
        var timeline = new Timeline();
        timeline.Begin("KillOne", "kill -9 <now>", [1]);
        timeline.Begin("Pause", "SIGSTOP", [1, 2]);
        await timeline.TimedAsync("client", "get", () => Task.FromResult(0));
        await Assert.ThrowsAsync<DoorException>(() => timeline.TimedAsync<int>("client", "put", () => throw new DoorException("Timeout", isRetryable: true)));
        timeline.Add(new RingSample(1, 17, 2, 5, [1 << 20, 0]));

        var text = XDocument.Parse(TimelinePicture.Draw(timeline, "a run", 5, 1 << 30)).Root!.Value;

        Assert.Contains("kill -9 <now>", text, StringComparison.Ordinal);
        Assert.Contains("SIGSTOP", text, StringComparison.Ordinal);
        var summary = Summary.Write(timeline, [new Verdict("nothing is lost", ["it is"])], []);
        Assert.Contains("errors: 1 of 2, 1 of them retryable", summary, StringComparison.Ordinal);
        Assert.Contains("BROKEN  nothing is lost", summary, StringComparison.Ordinal);
    }
}
