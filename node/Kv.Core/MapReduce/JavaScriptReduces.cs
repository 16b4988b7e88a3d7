using System.Text;
using System.Text.Unicode;

namespace Kv.Core.MapReduce;

/// <summary>
/// Riak's reduce functions for JavaScript, as far as they can be had exactly (mapred_builtins.js): what they would make of mixed kinds by JavaScript's conversions is refused, and so is source code as an argument.
/// </summary>
public static class JavaScriptReduces
{
    /// <summary>Results that `Riak.reduceLimit` and `Riak.reduceSlice` leave at most: they are given their batches as they are, each with all that they left.</summary>
    public const int MaxLeft = 10_000;

    public static IReadOnlyList<ReduceFunction> All { get; } =
    [
        new("Riak.filterNotFound", (inputs, _) => PhaseOutput.Of([.. Found(inputs)])),
        new("Riak.reduceSum", (inputs, _) => Sum(inputs)),
        new("Riak.reduceMin", (inputs, _) => Extreme(inputs, "Riak.reduceMin", sign: -1)),
        new("Riak.reduceMax", (inputs, _) => Extreme(inputs, "Riak.reduceMax", sign: 1)),
        new("Riak.reduceSort", Sort),
        new("Riak.reduceNumericSort", (inputs, _) => NumericSort(inputs)),
        new("Riak.reduceLimit", Limit, IsAssociative: false),
        new("Riak.reduceSlice", Slice, IsAssociative: false),
    ];

    private static IEnumerable<Term> Found(IReadOnlyList<Term> inputs) =>
        inputs.Where(input => input is not Term.Missing && !(input is Term.Struct members && members["not_found"] is not null));

    private static PhaseOutput Sum(IReadOnlyList<Term> inputs)
    {
        Term? sum = null;
        foreach (var input in Found(inputs))
        {
            sum = ReduceFunctions.Add(sum ?? Term.Of(0), input);
            if (sum is null)
            {
                return PhaseOutput.Failed($"Riak.reduceSum adds numbers, and {input} cannot be added");
            }
        }

        return PhaseOutput.Of(sum ?? Term.Of(0));
    }

    private static PhaseOutput Extreme(IReadOnlyList<Term> inputs, string name, int sign)
    {
        if (inputs.Count == 0)
        {
            return PhaseOutput.None;
        }

        if (!AreNumbers(inputs) && !AreTexts(inputs))
        {
            return PhaseOutput.Failed($"{name} compares numbers with numbers and strings with strings; there are others, or both, among its inputs");
        }

        var extreme = inputs[0];
        foreach (var input in inputs)
        {
            extreme = Math.Sign(Compare(input, extreme)) == sign ? input : extreme;
        }

        return PhaseOutput.Of(extreme);
    }

    /// <summary>By their text, as JavaScript sorts whatever it is: 10 comes before 9.</summary>
    private static PhaseOutput Sort(IReadOnlyList<Term> inputs, Term? arg)
    {
        if (arg is Term.Binary)
        {
            return PhaseOutput.Failed($"Riak.reduceSort takes no function here: there is no JavaScript to run {arg} with");
        }

        var texts = new List<(string Text, Term Term)>(inputs.Count);
        foreach (var input in inputs)
        {
            if (TextOf(input) is not { } text)
            {
                return PhaseOutput.Failed($"Riak.reduceSort sorts strings and integers, and {input} is neither");
            }

            texts.Add((text, input));
        }

        return PhaseOutput.Of([.. texts.OrderBy(one => one.Text, StringComparer.Ordinal).Select(one => one.Term)]);
    }

    private static PhaseOutput NumericSort(IReadOnlyList<Term> inputs) => AreNumbers(inputs)
        ? PhaseOutput.Of([.. inputs.Order(TermOrder.Instance)])
        : PhaseOutput.Failed("Riak.reduceNumericSort sorts numbers; there are others among its inputs");

    /// <summary>One less than the argument says, as Riak's.</summary>
    private static PhaseOutput Limit(IReadOnlyList<Term> inputs, Term? arg) => Whole(arg) is > 0 and <= MaxLeft and var limit
        ? PhaseOutput.Of([.. inputs.Take(limit - 1)])
        : PhaseOutput.Failed($"Riak.reduceLimit takes an integer from 1 to {MaxLeft} as its argument, and not {arg ?? Term.Undefined}");

    private static PhaseOutput Slice(IReadOnlyList<Term> inputs, Term? arg)
    {
        if (arg is not Term.List { Items: [var first, var last] } || Whole(first) is not (>= 0 and var from) || Whole(last) is not (>= 0 and <= MaxLeft and var until))
        {
            return PhaseOutput.Failed($"Riak.reduceSlice takes two integers from 0 to {MaxLeft} as its argument, and not {arg ?? Term.Undefined}");
        }

        return PhaseOutput.Of(until > inputs.Count ? inputs : [.. inputs.Take(until).Skip(from)]);
    }

    private static int? Whole(Term? term) => term is Term.Integer integer && integer.Value >= int.MinValue && integer.Value <= int.MaxValue ? (int)integer.Value : null;

    private static bool AreNumbers(IReadOnlyList<Term> inputs) => inputs.All(input => input is Term.Integer or Term.Real);

    private static bool AreTexts(IReadOnlyList<Term> inputs) => inputs.All(input => input is Term.Binary && TextOf(input) is not null);

    /// <summary>Strings by their UTF-16 units, as JavaScript compares them.</summary>
    private static int Compare(Term left, Term right) =>
        left is Term.Binary ? string.CompareOrdinal(TextOf(left), TextOf(right)) : TermOrder.Instance.Compare(left, right);

    private static string? TextOf(Term term) => term switch
    {
        Term.Binary text when Utf8.IsValid(text.Bytes.Span) => Encoding.UTF8.GetString(text.Bytes.Span),
        Term.Integer => term.ToString(),
        _ => null,
    };
}
