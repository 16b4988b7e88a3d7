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

    private void Acknowledged(string name) => key.Acknowledge(key.Begin(name, new HashSet<string>(), isDelete: false), "0:01 by a test");
}
