using System.Text.RegularExpressions;

namespace Kv.Core.Indexes;

/// <summary>
/// The pattern that terms must match. It is matched without backtracking, so that its time is in proportion to the text's length times the states that it may be in, of which there is a bound.
/// </summary>
public static class TermPattern
{
    /// <summary>Characters; longer ones are refused unread.</summary>
    public const int MaxLength = 1024;

    /// <summary>Of the automaton: repeats of repeats write a huge one in a few characters. The engine takes its bound from here alone, by the name, and bounds nothing of itself.</summary>
    private const int MaxStates = 1000;
    private const string MaxStatesName = "REGEX_NONBACKTRACKING_MAX_AUTOMATA_SIZE";

    /// <summary>A query asks for page after page with the same one.</summary>
    private static volatile Regex? latest;

    /// <summary>Null for one that cannot be had: not a pattern, too long, too large, or in need of backtracking.</summary>
    public static Regex? TryCreate(string pattern)
    {
        if (latest is { } known && known.ToString() == pattern)
        {
            return known;
        }

        if (pattern.Length > MaxLength)
        {
            return null;
        }

        try
        {
            AppContext.SetData(MaxStatesName, MaxStates);
            return latest = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
