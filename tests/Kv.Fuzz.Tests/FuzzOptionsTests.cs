using Xunit;

namespace Kv.Fuzz.Tests;

public sealed class FuzzOptionsTests
{
    [Fact]
    public void Arguments_AreRead()
    {
        Assert.True(FuzzOptions.TryParse(["context", "--seconds", "1.5", "--seed", "7", "key", "--save", "there", "--input", "file"], out var options, out var problem), problem);
        Assert.Equal(["context", "key"], options.Targets);
        Assert.Equal((TimeSpan.FromSeconds(1.5), 7, "file", "there"), (options.Time, options.Seed, options.Input, options.Directory));
    }

    [Fact]
    public void All_IsEveryTarget()
    {
        Assert.True(FuzzOptions.TryParse(["all"], out var options, out _));
        Assert.Empty(options.Targets);
    }

    [Theory]
    [InlineData("", "which target?")]
    [InlineData("all --seconds", "--seconds : is not understood")]
    [InlineData("all --seconds x", "--seconds x: is not understood")]
    [InlineData("all --fast 1", "--fast 1: is not understood")]
    public void Arguments_ThatMakeNoSense_AreRefused(string arguments, string expected)
    {
        Assert.False(FuzzOptions.TryParse(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), out _, out var problem));
        Assert.Equal(expected, problem);
    }
}
