namespace Kv.Chaos.Load;

/// <summary>A value that is longer than its name, by what no engine makes shorter: else what was written over and over would take no room.</summary>
internal static class PaddedValue
{
    private const char Separator = '.';
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";

    /// <summary>The same for the same name and length within one process.</summary>
    /// <param name="length">In characters, more than the name has.</param>
    public static string Of(string name, int length)
    {
        var random = new Random(name.GetHashCode(StringComparison.Ordinal));
        return string.Concat(name, [Separator], random.GetItems<char>(Alphabet, length - name.Length - 1));
    }

    /// <summary>The name of a value that was written so; any other is its own name, and so is one of which anything is not as it was written.</summary>
    public static string NameOf(string value)
    {
        var end = value.IndexOf(Separator, StringComparison.Ordinal);
        return end >= 0 && Of(value[..end], value.Length) == value ? value[..end] : value;
    }
}
