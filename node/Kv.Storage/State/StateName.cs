using System.Buffers;

namespace Kv.Storage.State;

/// <summary>The names that node state goes by: they become file names, so nothing else is let in.</summary>
internal static class StateName
{
    public const int MaxLength = 64;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <exception cref="ArgumentException">The name is empty, too long, or has other characters than a-z, 0-9 and hyphen.</exception>
    public static void Check(string name)
    {
        if (string.IsNullOrEmpty(name) || name.Length > MaxLength || name.AsSpan().ContainsAnyExcept(Allowed))
        {
            throw new ArgumentException($"Node state name \"{name}\" is not 1 to {MaxLength} of the characters a-z, 0-9 and hyphen.", nameof(name));
        }
    }
}
