using Xunit;

namespace Kv.Wire.Tests;

public sealed class CallDeadlineTests
{
    [Theory]
    [InlineData("100m", 100)]
    [InlineData("2S", 2000)]
    [InlineData("1M", 60_000)]
    [InlineData("1H", 3_600_000)]
    [InlineData("5000u", 5)]
    [InlineData("5000000n", 5)]
    [InlineData("99999999H", 86_400_000)]
    public void Text_IsRead(string text, int milliseconds)
    {
        Assert.True(CallDeadline.TryParse(text, out var left));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), left);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("5")]
    [InlineData("5x")]
    [InlineData("-5m")]
    [InlineData("123456789m")]
    [InlineData("1.5S")]
    public void WhatMakesNoSense_IsNoDeadline(string text) => Assert.False(CallDeadline.TryParse(text, out _));
}
