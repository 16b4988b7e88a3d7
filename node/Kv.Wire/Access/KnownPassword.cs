using System.Security.Cryptography;
using System.Text;
using Kv.Core.Security;

namespace Kv.Wire.Access;

/// <summary>A user's last password that was found right, as a code under a key that lives as long as the process: HTTP sends it with each request, and a derivation takes a tenth of a second.</summary>
internal sealed class KnownPassword
{
    private volatile Verified? verified;

    /// <summary>Whether this password was found right for this very hash before.</summary>
    public bool IsVerified(PasswordHash expected, string password, byte[] secret) =>
        verified is { } last && last.Expected.Equals(expected) && CryptographicOperations.FixedTimeEquals(last.Code, CodeOf(password, secret));

    public void Verify(PasswordHash expected, string password, byte[] secret) => verified = new Verified(expected, CodeOf(password, secret));

    private static byte[] CodeOf(string password, byte[] secret) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(password));

    private sealed class Verified(PasswordHash expected, byte[] code)
    {
        public PasswordHash Expected { get; } = expected;

        public byte[] Code { get; } = code;
    }
}
