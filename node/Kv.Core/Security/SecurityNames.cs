using System.Text;

namespace Kv.Core.Security;

/// <summary>
/// Names of users and groups (riak_core_security; reference 11.3): kept in lower case, so that `Ada` and `ada` are one. Riak's illegal characters, and `/`, which tells a user from a
/// group of the same name.
/// </summary>
public static class SecurityNames
{
    /// <summary>Everybody, in sources and grants.</summary>
    public const string All = "all";

    public const int MaxBytes = 255;

    private static readonly string[] Reserved = [All, "on", "to", "from", "any"];

    public static string Fold(string name) => name.ToLowerInvariant();

    /// <summary>Whether a folded name is one of the words that commands are made of.</summary>
    public static bool IsReserved(string name) => Array.IndexOf(Reserved, name) >= 0;

    /// <summary>Control characters, white space, the marks of ASCII below `-` and between `9` and `@`, and `/` have no place in a name; nor does an empty one.</summary>
    public static bool IsLegal(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= MaxBytes && name.EnumerateRunes().All(rune => rune.Value is not (<= 44 or '/' or (>= 58 and <= 63) or (>= 127 and <= 191) or 0xFFFD));
}
