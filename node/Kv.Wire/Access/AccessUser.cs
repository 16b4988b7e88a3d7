using System.Security.Cryptography;
using System.Text;
using Kv.Core.Security;

namespace Kv.Wire.Access;

/// <summary>A user who has shown who it is. What it may do is looked up in the state that holds when it asks (<see cref="GrantTable"/>).</summary>
public sealed class AccessUser
{
    private volatile Verified? verified;

    internal AccessUser(string name) => Name = name;

    public string Name { get; }

    /// <summary>Whether this password was found right for this very hash before: HTTP sends it with each request, and a derivation takes a tenth of a second.</summary>
    internal bool IsVerified(PasswordHash expected, string password, byte[] secret) =>
        verified is { } last && last.Expected.Equals(expected) && CryptographicOperations.FixedTimeEquals(last.Code, CodeOf(password, secret));

    internal void Verify(PasswordHash expected, string password, byte[] secret) => verified = new Verified(expected, CodeOf(password, secret));

    private static byte[] CodeOf(string password, byte[] secret) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(password));

    /// <summary>Not the password: its code under a key that lives as long as the process.</summary>
    private sealed class Verified(PasswordHash expected, byte[] code)
    {
        public PasswordHash Expected { get; } = expected;

        public byte[] Code { get; } = code;
    }
}
