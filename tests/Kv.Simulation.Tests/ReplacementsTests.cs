using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>What a bucket that keeps one value may have lost, and what not.</summary>
public sealed class ReplacementsTests
{
    private const string None = "";

    [Theory]
    [InlineData(BucketRule.Newest, 10, 20, "w2", None)]
    [InlineData(BucketRule.Newest, 10, 20, "w1", "w2")]
    [InlineData(BucketRule.Newest, 20, 10, "w1", None)]
    [InlineData(BucketRule.NewestByClock, 20, 10, "w2", "w1")]
    [InlineData(BucketRule.LastWriteWins, 20, 10, "w2", None)]
    [InlineData(BucketRule.LastWriteWins, 20, 10, "w1", None)]
    [InlineData(BucketRule.LastWriteWins, 10, 20, "w1", "w2")]
    public void BlindWrite_IsLostOnlyToANewerOne_OrWhereNobodyLooksToALaterOne(BucketRule rule, long first, long second, string present, string lost)
    {
        var key = KeyOf(rule);
        Write(key, "w1", first);
        Write(key, "w2", second);
        var problems = key.History.Violations(new HashSet<string> { present });
        Assert.Equal(lost == None ? [] : [lost], problems.Select(problem => problem.Split(' ')[3]));
    }

    [Fact]
    public void WriteOnce_KeepsTheOneThatWinsEverywhere()
    {
        var key = KeyOf(BucketRule.WriteOnce);
        Write(key, "w1", 10);
        Write(key, "w2", 20);
        var broken = new[] { "w1", "w2" }.Select(present => key.History.Violations(new HashSet<string> { present }).Count);
        Assert.Equal([0, 1], broken.Order());
    }

    [Fact]
    public void WriteOnce_ThatIsGone_IsLost()
    {
        var key = KeyOf(BucketRule.WriteOnce);
        Write(key, "w1", 10);
        Assert.Single(key.History.Violations(new HashSet<string>()));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void WhatAWriterHadSeen_IsNotBack_WhereClocksAgree(bool clocksAgree, int problems)
    {
        var key = KeyOf(BucketRule.Newest, clocksAgree);
        Write(key, "w1", 30);
        Write(key, "w2", 20, "w1");
        Assert.Equal(problems, key.History.Violations(new HashSet<string> { "w1", "w2" }).Count);
    }

    [Fact]
    public void Delete_TakesWhatIsOlder_AndNothingNewer()
    {
        var key = KeyOf(BucketRule.NewestByClock);
        Write(key, "w1", 10);
        key.History.Begin("w2", new HashSet<string>(), isDelete: true);
        Saw(key, new Sibling { Dot = null, IsTombstone = true, LastModifiedMicroseconds = 20 });
        Assert.Empty(key.History.Violations(new HashSet<string>()));
        Write(key, "w3", 30);
        Assert.Single(key.History.Violations(new HashSet<string>()));
    }

    private static TrackedKey KeyOf(BucketRule rule, bool clocksAgree = true) =>
        new(new ObjectKey("t0", BucketPlan.BucketText, "k0"), new BucketPlan("t0", rule, 3, "keep", "synced", 0), clocksAgree);

    /// <summary>One that is acknowledged before the next begins.</summary>
    private static void Write(TrackedKey key, string name, long microseconds, params string[] seen)
    {
        var write = key.History.Begin(name, seen.ToHashSet(), isDelete: false);
        Saw(key, new Sibling { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(name), LastModifiedMicroseconds = microseconds });
        write.IsAcknowledged = true;
        key.History.End(write);
    }

    private static void Saw(TrackedKey key, Sibling sibling) => key.Replacements!.Saw(KvObject.Create(VersionVector.Empty, [sibling]));
}
