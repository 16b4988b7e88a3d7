using System.Security.Cryptography;
using System.Text;

namespace Kv.Wire;

/// <summary>Keys for puts that name none: 160 random bits in 27 letters and digits, as Riak's are.</summary>
public static class GeneratedKey
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static byte[] New() => Encoding.ASCII.GetBytes(RandomNumberGenerator.GetItems<char>(Alphabet, 27));
}
