using System.Text;
using CsCheck;
using Kv.Wire.Access;
using Xunit;

namespace Kv.Wire.Tests.Access;

public sealed class BasicCredentialsTests
{
    private static string Of(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void AUserAndPassword_AreWhatIsBeforeAndAfterTheFirstColon()
    {
        Assert.Equal(("ada", "se:cret"), BasicCredentials.Read("Basic " + Of("ada:se:cret")));
        Assert.Equal(("höhe", ""), BasicCredentials.Read("basic  " + Of("höhe:")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Basic")]
    [InlineData("Basic YWRh")]
    [InlineData("Basic ***")]
    [InlineData("Basic /w==")]
    [InlineData("Bearer YWRhOg==")]
    public void WhatIsNone_IsNone(string? header) => Assert.Null(BasicCredentials.Read(header));

    [Fact]
    public void AnyText_ThrowsNothing() => Gen.String.Sample(text =>
    {
        BasicCredentials.Read(text);
        BasicCredentials.Read("Basic " + text);
    });
}
