using Kv.Chaos.Load;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Chaos.Tests.Load;

/// <summary>What the checker of keys with one value sees, and what it lets pass.</summary>
public sealed class SingleKeyTests
{
    private readonly SingleKey key = new(new ObjectKey("plain", "bucket", "key"));

    [Fact]
    public void LastAcknowledged_IsRight()
    {
        Acknowledged("a", 1);
        Acknowledged("b", 2, seen: "a");
        Assert.Empty(key.Violations(Present("b"), 0));
    }

    [Fact]
    public void OneThatAnAcknowledgedWriteHadSeen_IsWrong_WhateverTheClocks()
    {
        Acknowledged("a", 1);
        Tried("b", 2, seen: "a");
        Acknowledged("c", 3, seen: "b");
        Assert.NotEmpty(key.Violations(Present("a"), clockError: 1000));
        Assert.NotEmpty(key.Violations(Present("b"), clockError: 1000));
    }

    [Fact]
    public void OneThatHadEndedBefore_IsWrong_UnlessClocksWereOff()
    {
        Acknowledged("a", 1);
        Acknowledged("b", 10);
        Assert.NotEmpty(key.Violations(Present("a"), clockError: 5));
        Assert.Empty(key.Violations(Present("a"), clockError: 60));
    }

    [Fact]
    public void OneOfUnknownFate_MayTakeEffectLater()
    {
        Tried("a", 1);
        Acknowledged("b", 10);
        Assert.Empty(key.Violations(Present("a"), 0));
    }

    [Fact]
    public void Nothing_NeedsADeleteThatExplainsIt()
    {
        Acknowledged("a", 1);
        Assert.NotEmpty(key.Violations(Present(), 0));
        Tried("gone", 2, isDelete: true);
        Assert.Empty(key.Violations(Present(), 0));
        Acknowledged("b", 30, seen: "gone");
        Assert.NotEmpty(key.Violations(Present(), 0));
    }

    [Fact]
    public void WhatAnAcknowledgedDeleteTook_IsWrong()
    {
        Acknowledged("a", 1);
        Acknowledged("gone", 2, seen: "a", isDelete: true);
        Assert.NotEmpty(key.Violations(Present("a"), clockError: 1000));
    }

    [Fact]
    public void TwoValues_OrAStranger_AreWrong()
    {
        Acknowledged("a", 1);
        Acknowledged("b", 1);
        Assert.NotEmpty(key.Violations(Present("a", "b"), 0));
        Assert.NotEmpty(key.Violations(Present("c"), 0));
        Assert.Equal(["c"], key.Strangers(["a", "c"]));
    }

    private static HashSet<string> Present(params string[] names) => [.. names];

    private SingleKey.Write Tried(string name, double at, string? seen = null, bool isDelete = false) =>
        key.Begin(name, new HashSet<string>(seen is null ? [] : [seen]), isDelete, at);

    private void Acknowledged(string name, double at, string? seen = null, bool isDelete = false) => key.Acknowledge(Tried(name, at, seen, isDelete), at + 0.5);
}
