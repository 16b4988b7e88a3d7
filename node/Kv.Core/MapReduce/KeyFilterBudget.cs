using System.Globalization;

namespace Kv.Core.MapReduce;

/// <summary>What is left of what a job's key filters may cost: each key goes through all of them, those within `and`, `or` and `not` included. Used by one at a time.</summary>
internal sealed class KeyFilterBudget
{
    private int steps = KeyFilter.MaxSteps;
    private int patterns = KeyFilter.MaxPatterns;
    private int similarBytes = KeyFilter.MaxSimilarBytes;

    /// <summary>Null where there is enough left for the step, which is then taken; else the refusal.</summary>
    public string? WhyTooMuch(string name, IReadOnlyList<Term> arguments)
    {
        if (--steps < 0)
        {
            return $"there are more than {KeyFilter.MaxSteps} key filters";
        }

        if (name == "matches" && --patterns < 0)
        {
            return $"there are more than {KeyFilter.MaxPatterns} key filters `matches`: a pattern can say several with |";
        }

        if (name == "similar_to" && arguments.Count > 0 && (similarBytes -= KeyFilterSteps.BytesOf(arguments[0]).Length) < 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"the texts of key filters `similar_to` have more than {KeyFilter.MaxSimilarBytes} bytes together");
        }

        return null;
    }
}
