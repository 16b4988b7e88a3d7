using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Simulation.Checkers;
using Kv.Simulation.Running;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>A dot that names two writes is seen, two deletes of one key among them, which look alike but for their times.</summary>
public sealed class DotCheckerTests
{
    private static readonly ObjectKey Key = new("t0", "b", "k0");
    private static readonly Dot Given = new(new ActorId(new NodeId(1), new PartitionId(0), 1), 7);

    [Fact]
    public void Dot_OfTwoDeletesOfAKey_IsAViolation() => Assert.Single(ViolationsOf(Delete(1000), Delete(2000)));

    [Fact]
    public void Dot_OfOneDeleteThatManyStoresAreGiven_IsNone() => Assert.Empty(ViolationsOf(Delete(1000), Delete(1000)));

    [Fact]
    public void Dot_OfAPutAndADelete_IsAViolation() =>
        Assert.Single(ViolationsOf(Delete(1000), new Sibling { Dot = Given, Value = "w1"u8.ToArray(), LastModifiedMicroseconds = 1000 }));

    private static Sibling Delete(long microseconds) => new() { Dot = Given, IsTombstone = true, LastModifiedMicroseconds = microseconds };

    private static IReadOnlyList<string> ViolationsOf(params Sibling[] writes)
    {
        var journal = new Journal(new SimScheduler(1));
        var checker = new DotChecker(journal);
        foreach (var write in writes)
        {
            var batch = new WriteBatch();
            batch.Put(Key.Encoded, ObjectCodec.Encode(KvObject.Create(VersionVector.Empty.Increment(Given.Actor, Given.Counter, 1), [write])));
            checker.Saw(batch);
        }

        return journal.Violations;
    }
}
