using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kv.Core.Security;

/// <summary>
/// What is kept of a password: PBKDF2 (RFC 8018) with HMAC-SHA-512 over a salt of its own. Riak's riak_core_pw_auth has SHA-1 and 65,536 rounds; these are today's figures. The
/// salt is drawn by whoever derives it. Shows nothing of itself: it goes into no log, no listing and no exception.
/// </summary>
public sealed class PasswordHash : IEquatable<PasswordHash>
{
    public const string Sha512 = "pbkdf2-sha512";
    public const int SaltBytes = 16;
    public const int HashBytes = 32;

    /// <summary>Rounds that new passwords get: OWASP's figure for SHA-512. Stored with each hash, so that it can grow.</summary>
    public const int DefaultIterations = 210_000;

    /// <summary>Beyond it a hash is damage, or would hold a processor for minutes.</summary>
    public const int MaxIterations = 10_000_000;

    public const int MaxPasswordBytes = 1024;

    private readonly byte[] salt;
    private readonly byte[] hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash) => (Iterations, this.salt, this.hash) = (iterations, salt, hash);

    public int Iterations { get; }

    public ReadOnlySpan<byte> Salt => salt;

    public ReadOnlySpan<byte> Hash => hash;

    /// <summary>Costs a tenth of a second or so, by design.</summary>
    public static PasswordHash Derive(string password, ReadOnlySpan<byte> salt, int iterations = DefaultIterations) =>
        new(iterations, salt.ToArray(), Rounds(password, salt, iterations));

    /// <summary>What was stored. Throws <see cref="FormatException"/> where it cannot have been.</summary>
    public static PasswordHash Read(string function, int iterations, byte[] salt, byte[] hash)
    {
        if (function != Sha512)
        {
            throw new FormatException($"the password hash function `{function}` is not known");
        }

        return iterations is >= 1 and <= MaxIterations && salt.Length == SaltBytes && hash.Length == HashBytes
            ? new PasswordHash(iterations, salt, hash)
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"a password hash of {iterations} rounds, {salt.Length} bytes of salt and {hash.Length} of hash"));
    }

    /// <summary>Costs as much as <see cref="Derive"/>. Takes as long for a wrong password as for the right one.</summary>
    public bool Matches(string password) => CryptographicOperations.FixedTimeEquals(Rounds(password, salt, Iterations), hash);

    public bool Equals(PasswordHash? other) =>
        other is not null && Iterations == other.Iterations && salt.AsSpan().SequenceEqual(other.salt) && CryptographicOperations.FixedTimeEquals(hash, other.hash);

    public override bool Equals(object? obj) => Equals(obj as PasswordHash);

    public override int GetHashCode()
    {
        var code = default(HashCode);
        code.AddBytes(salt);
        return code.ToHashCode();
    }

    public override string ToString() => "(hashed)";

    private static byte[] Rounds(string password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA512, HashBytes);
}
