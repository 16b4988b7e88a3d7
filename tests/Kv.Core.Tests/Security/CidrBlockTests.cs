using System.Net;
using CsCheck;
using Kv.Core.Security;
using Xunit;
using static Kv.Core.Tests.Security.SecuritySamples;

namespace Kv.Core.Tests.Security;

public sealed class CidrBlockTests
{
    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("127.0.0.1/32", "127.0.0.1/32")]
    [InlineData("1.2.3.4/0", "0.0.0.0/0")]
    [InlineData("fd00:1::5/32", "fd00:1::/32")]
    [InlineData("::1/128", "::1/128")]
    public void ABlock_IsReadWithoutWhatIsBeyondItsPrefix(string text, string block) => Assert.Equal(block, Network(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.256/8")]
    [InlineData("10/8")]
    [InlineData("010.0.0.0/8")]
    [InlineData("::1/129")]
    [InlineData("fe80::1%1/64")]
    [InlineData("/8")]
    [InlineData("host/8")]
    public void WhatIsNoBlock_IsRefused(string text) => Assert.False(CidrBlock.TryParse(text, out _));

    [Fact]
    public void ABlock_ContainsWhatItsPrefixSays()
    {
        Gen.Select(Gen.Byte.Array[4], Gen.Byte.Array[4], Gen.Int[0, 32]).Sample((a, b, prefix) =>
        {
            var block = Network($"{new IPAddress(a)}/{prefix}");
            var common = Enumerable.Range(0, 32).TakeWhile(bit => ((a[bit / 8] ^ b[bit / 8]) & (0x80 >> (bit % 8))) == 0).Count();
            Assert.Equal(common >= prefix, block.Contains(new IPAddress(b)));
            Assert.Equal(block, Network(block.ToString()));
        });
    }

    [Fact]
    public void Blocks_SortLongerPrefixesFirst() =>
        Assert.Equal(["::1/128", "10.0.0.0/24", "10.0.0.0/8", "11.0.0.0/8", "0.0.0.0/0"], new[] { "0.0.0.0/0", "11.0.0.0/8", "10.0.0.0/8", "::1/128", "10.0.0.0/24" }.Select(Network).Order().Select(b => b.ToString()));
}
