using System.Collections.Immutable;
using System.Globalization;

namespace Kv.Simulation.Checkers;

/// <summary>The index entries that a write gives its object. They follow from its name, so that whoever knows which writes an object shows knows what the index has to say of it.</summary>
internal static class IndexTerms
{
    public const string Number = "number_int";
    public const string Letter = "letter_bin";

    /// <summary>Fields and terms; some writes have none.</summary>
    public static ImmutableArray<KeyValuePair<string, string>> Of(string write)
    {
        var number = int.Parse(write[1..], CultureInfo.InvariantCulture);
        return number % 6 == 0
            ? []
            : [new(Number, ((number % 5) - 2).ToString(CultureInfo.InvariantCulture)), new(Letter, ((char)('a' + (number % 4))).ToString())];
    }
}
