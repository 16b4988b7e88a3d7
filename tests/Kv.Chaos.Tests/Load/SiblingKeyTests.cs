using Kv.Chaos.Load;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Chaos.Tests.Load;

public sealed class SiblingKeyTests
{
    private readonly SiblingKey key = new(new ObjectKey("siblings", "bucket", "key"));

    [Fact]
    public void BlindDelete_ExplainsWhatWasBegunBeforeItEnded_AndNothingLater()
    {
        Acknowledged("a");
        var delete = key.BeginBlindDelete("delete");
        Acknowledged("b");
        key.EndBlindDelete(delete, isFateKnown: true);
        Acknowledged("c");
        Assert.Empty(key.Violations(new HashSet<string> { "c" }));
        Assert.Empty(key.Violations(new HashSet<string> { "a", "b", "c" }));
        Assert.NotEmpty(key.Violations(new HashSet<string>()));
    }

    [Fact]
    public void BlindDeleteOfUnknownFate_ExplainsWhatComesLaterToo()
    {
        key.EndBlindDelete(key.BeginBlindDelete("delete"), isFateKnown: false);
        Acknowledged("a");
        Assert.Empty(key.Violations(new HashSet<string>()));
    }

    [Fact]
    public void Strangers_AreWhatNobodyBegan()
    {
        Acknowledged("a");
        Assert.Equal(["x"], key.Strangers(["a", "x"]));
    }

    [Fact]
    public void AWriteWhoseConditionDidNotHold_IsNowhere()
    {
        key.Refuse(key.Begin("a", new HashSet<string>(), isDelete: false));
        Assert.Equal(["a"], key.Strangers(["a"]));
        Assert.NotEmpty(key.Violations(new HashSet<string> { "a" }));
        Assert.Empty(key.Violations(new HashSet<string>()));
    }

    [Fact]
    public void ReadsOfMostPrimaries_ShowWhatMostHad_OrWhatCoversIt()
    {
        var first = key.Begin("a", new HashSet<string>(), isDelete: false);
        key.AcknowledgeOnPrimaries(first, begun: 3);
        Assert.Empty(key.ExpectedOfPrimaries(since: 3));
        var expected = key.ExpectedOfPrimaries(since: 2);
        key.Begin("b", new HashSet<string> { "a" }, isDelete: false);
        Assert.Equal(["a"], key.Missing(expected, new HashSet<string>()));
        Assert.Empty(key.Missing(expected, new HashSet<string> { "a" }));
        Assert.Empty(key.Missing(expected, new HashSet<string> { "b" }));
    }

    private void Acknowledged(string name) => key.Acknowledge(key.Begin(name, new HashSet<string>(), isDelete: false), "0:01 by a test");
}
