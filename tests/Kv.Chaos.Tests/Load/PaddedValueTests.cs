using CsCheck;
using Kv.Chaos.Load;
using Xunit;

namespace Kv.Chaos.Tests.Load;

public sealed class PaddedValueTests
{
    private static readonly Gen<string> Name = Gen.Char.AlphaNumeric.Array[1, 20].Select(letters => new string(letters));

    [Fact]
    public void AValue_HasItsLength_AndGivesItsName() => Gen.Select(Name, Gen.Int[22, 400]).Sample((name, length) =>
    {
        var value = PaddedValue.Of(name, length);
        Assert.Equal(length, value.Length);
        Assert.Equal(name, PaddedValue.NameOf(value));
    });

    [Fact]
    public void WhatIsNotAsItWasWritten_IsItsOwnName() => Gen.Select(Name, Gen.Int[0, 99]).Sample((name, at) =>
    {
        var value = PaddedValue.Of(name, 100).ToCharArray();
        value[at] = '!';
        Assert.Equal(new string(value), PaddedValue.NameOf(new string(value)));
    });

    [Fact]
    public void AValueWithoutPadding_IsItsOwnName() => Assert.All(["put-1-2", "", "a.b"], value => Assert.Equal(value, PaddedValue.NameOf(value)));
}
