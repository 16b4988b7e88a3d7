using Kv.Core.Indexes;
using Xunit;

namespace Kv.Core.Tests.Indexes;

/// <summary>Which patterns a query may have.</summary>
public sealed class TermPatternTests
{
    [Theory]
    [InlineData("^user:[0-9]{4}-[0-9]{2}$")]
    [InlineData(".{0,200}x")]
    [InlineData("(red|.*een)")]
    public void WhatPeopleWrite_IsTaken(string pattern) => Assert.NotNull(TermPattern.TryCreate(pattern));

    [Theory]
    [InlineData("(")]
    [InlineData("(a)\\1")]
    [InlineData("a(?=b)")]
    [InlineData("(?:(?:(?:.?){100}){100}){100}x")]
    [InlineData("(?:(?:a{1000}){1000}){1000}")]
    public void WhatNeedsBacktracking_OrAHugeAutomaton_IsNot(string pattern) => Assert.Null(TermPattern.TryCreate(pattern));

    [Fact]
    public void WhatIsTooLong_IsNot() => Assert.Null(TermPattern.TryCreate(new string('a', TermPattern.MaxLength + 1)));

    [Fact]
    public void TheSamePattern_IsMadeOnce()
    {
        Assert.Same(TermPattern.TryCreate("^once$"), TermPattern.TryCreate("^once$"));
        Assert.NotSame(TermPattern.TryCreate("^once$"), TermPattern.TryCreate("^twice$"));
    }
}
