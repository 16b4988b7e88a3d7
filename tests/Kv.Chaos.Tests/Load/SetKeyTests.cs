using Kv.Chaos.Load;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Chaos.Tests.Load;

public sealed class SetKeyTests
{
    private readonly SetKey key = new(new ObjectKey("sets", "bucket", "key"));

    [Fact]
    public void Added_IsThere()
    {
        Added("a");
        Assert.Empty(key.Violations(Present("a")));
        Assert.NotEmpty(key.Violations(Present()));
    }

    [Fact]
    public void Removed_NeverComesBack()
    {
        Added("a");
        key.BeginRemove("a");
        key.AcknowledgeRemove("a");
        Assert.Empty(key.Violations(Present()));
        Assert.NotEmpty(key.Violations(Present("a")));
    }

    [Fact]
    public void OfUnknownFate_IsThereOrNot()
    {
        key.BeginAdd("a");
        Added("b");
        key.BeginRemove("b");
        Assert.Empty(key.Violations(Present()));
        Assert.Empty(key.Violations(Present("a", "b")));
    }

    [Fact]
    public void WhatNobodyAdded_IsAStranger()
    {
        Added("a");
        Assert.Equal(["x"], key.Strangers(["a", "x"]));
        Assert.NotEmpty(key.Violations(Present("a", "x")));
    }

    private static HashSet<string> Present(params string[] members) => [.. members];

    private void Added(string member)
    {
        key.BeginAdd(member);
        key.AcknowledgeAdd(member);
    }
}
