using System.Globalization;
using System.Numerics;
using System.Text;
using CsCheck;
using Kv.Core.Indexes;
using Xunit;

namespace Kv.Core.Tests.Indexes;

/// <summary>Terms as bytes keep their order, tell where they end, and come back.</summary>
public sealed class IndexTermCodecTests
{
    private static readonly Gen<string> Texts = Gen.Int[0, 5].Select(at => "ab\0\u0001\u00ff\ud7ff"[at]).Array[0, 6].Select(chars => new string(chars));

    private static readonly Gen<BigInteger> Integers = Gen.OneOf(
        Gen.Int[-300, 300].Select(value => new BigInteger(value)),
        Gen.Byte.Array[0, 20].Select(bytes => new BigInteger(bytes)));

    [Fact]
    public void Texts_AreInTheOrderOfTheirBytes() => Gen.Select(Texts, Texts).Sample((a, b) => Assert.Equal(
        Math.Sign(Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b))),
        Math.Sign(IndexTermCodec.Encode(a).AsSpan().SequenceCompareTo(IndexTermCodec.Encode(b)))));

    [Fact]
    public void Integers_AreInTheirOrder() => Gen.Select(Integers, Integers).Sample((a, b) => Assert.Equal(
        a.CompareTo(b),
        Math.Sign(IndexTermCodec.Encode(a).AsSpan().SequenceCompareTo(IndexTermCodec.Encode(b)))));

    [Fact]
    public void Terms_WithAnythingBehindThem_ComeBack_AndEndBeforeTheNext() => Gen.Select(Texts, Integers, Gen.Byte.Array[0, 5]).Sample((text, integer, behind) =>
    {
        foreach (var (encoded, isInteger, expected) in new[]
                 {
                     (IndexTermCodec.Encode(text), false, text), (IndexTermCodec.Encode(integer), true, integer.ToString(CultureInfo.InvariantCulture)),
                 })
        {
            Assert.Equal(expected, IndexTermCodec.Decode([.. encoded, .. behind], isInteger, out var length));
            Assert.Equal(encoded.Length, length);
            Assert.True(IndexTermCodec.After(encoded).AsSpan().SequenceCompareTo((byte[])[.. encoded, .. behind]) > 0);
        }

        Assert.True(IndexTermCodec.After(IndexTermCodec.Encode(integer)).AsSpan().SequenceCompareTo(IndexTermCodec.Encode(integer + 1)) <= 0);
        Assert.True(IndexTermCodec.After(IndexTermCodec.Encode(text)).AsSpan().SequenceCompareTo(IndexTermCodec.Encode(text + "\0")) <= 0);
    });

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("+007", "7")]
    [InlineData("-123456789012345678901234567890", "-123456789012345678901234567890")]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("1.5", null)]
    [InlineData(" 1", null)]
    [InlineData("0x1", null)]
    public void ParseInteger_TakesDecimalIntegersOnly(string term, string? expected) =>
        Assert.Equal(expected, IndexTermCodec.ParseInteger(term)?.ToString(CultureInfo.InvariantCulture));

    [Fact]
    public void Decode_OfAnyBytes_GivesATermOrNothing() => Gen.Select(Gen.Byte.Array[0, 12], Gen.Bool).Sample((bytes, isInteger) =>
    {
        if (IndexTermCodec.Decode(bytes, isInteger, out var length) is not null)
        {
            Assert.InRange(length, 2, bytes.Length);
        }
    });
}
