using Kv.Chaos.Checks;
using Kv.Chaos.Rings;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Chaos.Tests.Checks;

public sealed class IndexCheckTests
{
    private readonly IndexCheck check = new();
    private readonly List<(ObjectKey Key, IReadOnlySet<string>? Values)> held = [];

    [Fact]
    public void WhatIsThere_IsShown_ByTermAndByKey_AndOtherTypesHaveNoIndex()
    {
        Hold("cart-0", "put-1", "put-2");
        Hold("cart-3");
        held.Add((new ObjectKey(BucketTypes.Siblings, "carts", "cart-1"), new HashSet<string> { "put-3" }));
        Terms(("put-1", "cart-0"), ("put-2", "cart-0"));
        Keys("cart-0");
        Assert.Empty(check.Problems(held));
        Assert.Equal(2, check.Entries);
    }

    [Fact]
    public void AValueWithoutItsEntry_AnEntryWithoutItsValue_AndOneThatIsThereTwice_AreTold()
    {
        Hold("cart-0", "put-1", "put-2");
        Terms(("put-2", "cart-0"), ("put-2", "cart-0"), ("put-9", "cart-0"));
        Assert.Equal(
            ["put-1 of cart-0 is there and not shown", "put-9 of cart-0 is shown and not there", "put-2 of cart-0 is shown 2 times"],
            check.Problems(held).Select(problem => problem.Split(": ")[1]));
    }

    [Fact]
    public void AKeyThatIsThereAndNotShown_OrWasDeletedAndIsShown_IsTold()
    {
        Hold("cart-0", "put-1");
        Hold("cart-3");
        Keys("cart-3");
        Assert.Equal(2, check.Problems(held).Count);
    }

    [Fact]
    public void AValueOfAClientThatGivesNoEntries_HasNone()
    {
        Hold("cart-0", "put-1");
        check.WritesWithoutEntry("put-1");
        Terms();
        Assert.Empty(check.Problems(held));
        Terms(("put-1", "cart-0"));
        Assert.Single(check.Problems(held));
    }

    [Fact]
    public void AKeyThatCouldNotBeRead_IsNotHeldAgainstTheIndex()
    {
        held.Add((Key("cart-0"), null));
        Terms(("put-1", "cart-0"));
        Assert.Empty(check.Problems(held));
    }

    [Fact]
    public void WhereNoIndexWasAsked_NothingIsShown() => Assert.Contains("no index", Assert.Single(check.Problems(held)), StringComparison.Ordinal);

    private static ObjectKey Key(string name) => new(BucketTypes.Ordered, "carts", name);

    private void Hold(string name, params string[] values) => held.Add((Key(name), values.ToHashSet()));

    private void Terms(params (string Term, string Key)[] shown) => check.Note(new IndexCheck.Answer(BucketTypes.Ordered, "carts", IsOfKeys: false, "http at n0", shown));

    private void Keys(params string[] shown) => check.Note(new IndexCheck.Answer(BucketTypes.Ordered, "carts", IsOfKeys: true, "http at n0", [.. shown.Select(key => (key, key))]));
}
