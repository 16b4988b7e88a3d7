using Kv.Core.Security;
using Xunit;

namespace Kv.Core.Tests.Security;

public sealed class PasswordHashTests
{
    private static readonly byte[] Salt = [.. Enumerable.Range(1, PasswordHash.SaltBytes).Select(n => (byte)n)];

    [Fact]
    public void APassword_IsKnownAgain_AndNoOther()
    {
        var hash = PasswordHash.Derive("pässword", Salt, iterations: 3);
        Assert.True(hash.Matches("pässword"));
        Assert.False(hash.Matches("passwort"));
        Assert.False(hash.Matches(""));
    }

    /// <summary>By Python's hashlib.pbkdf2_hmac("sha512", b"secret", bytes(range(1, 17)), 210000, 32).</summary>
    [Fact]
    public void TheDefault_IsPbkdf2OfSha512_With210000Rounds() =>
        Assert.Equal("25fa8037d893ddced19aadbc7722514fdb9fceea403e5a45c9b1f947d1730191", Convert.ToHexStringLower(PasswordHash.Derive("secret", Salt).Hash));

    [Fact]
    public void AnotherSalt_IsAnotherHash() =>
        Assert.NotEqual(PasswordHash.Derive("secret", Salt, 2), PasswordHash.Derive("secret", [.. Enumerable.Reverse(Salt)], 2));

    [Fact]
    public void AHash_ShowsNothing() => Assert.Equal("(hashed)", PasswordHash.Derive("secret", Salt, 1).ToString());

    [Fact]
    public void WhatCannotHaveBeenStored_IsRefused()
    {
        Assert.Contains("scrypt", Assert.Throws<FormatException>(() => PasswordHash.Read("scrypt", 1, Salt, new byte[32])).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => PasswordHash.Read(PasswordHash.Sha512, 0, Salt, new byte[32]));
        Assert.Throws<FormatException>(() => PasswordHash.Read(PasswordHash.Sha512, PasswordHash.MaxIterations + 1, Salt, new byte[32]));
        Assert.Throws<FormatException>(() => PasswordHash.Read(PasswordHash.Sha512, 1, new byte[15], new byte[32]));
        Assert.Throws<FormatException>(() => PasswordHash.Read(PasswordHash.Sha512, 1, Salt, new byte[31]));
    }
}
