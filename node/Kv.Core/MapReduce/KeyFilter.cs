using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Kv.Core.MapReduce;

/// <summary>
/// Which of a bucket's keys are inputs (riak_kv_mapred_filters): steps that transform the key, and a last one that says whether it passes. A key that a step can make nothing of, a third word of two
/// or an integer of letters, does not pass; Riak fails the job. Immutable.
/// </summary>
public sealed class KeyFilter
{
    /// <summary>Of one job, those within `and`, `or` and `not` included: each key goes through all of them.</summary>
    public const int MaxSteps = 1000;

    /// <summary>Of one job: what a pattern learns of the keys it met is kept with it.</summary>
    public const int MaxPatterns = 8;

    /// <summary>What the texts of a job's `similar_to` may have together: the time for a key is their bytes times its own.</summary>
    public const int MaxSimilarBytes = 4096;

    private readonly Func<Term, Term?> chain;

    private KeyFilter(Func<Term, Term?> chain) => this.chain = chain;

    /// <summary>Reads a list of steps, each a list of a name and its arguments; false with what is wrong, and the step's name.</summary>
    public static bool TryCreate(Term steps, [NotNullWhen(true)] out KeyFilter? filter, [NotNullWhen(false)] out string? problem)
    {
        var chain = Chain(steps, new KeyFilterBudget(), out problem);
        filter = chain is null ? null : new KeyFilter(chain);
        problem ??= filter is null ? "key filters make no sense" : null;
        return filter is not null;
    }

    public bool Passes(ReadOnlyMemory<byte> key) => chain(new Term.Binary(key)) is Term.Atom { Name: "true" };

    private static Func<Term, Term?>? Chain(Term steps, KeyFilterBudget budget, out string? problem)
    {
        problem = null;
        if (steps is not Term.List { Items.IsEmpty: false } list)
        {
            problem = $"key filters are a list of at least one [name, arguments…], and not {steps}";
            return null;
        }

        var functions = new List<Func<Term, Term?>>();
        for (var at = 0; at < list.Items.Length; at++)
        {
            if (Step(list.Items[at], isLast: at == list.Items.Length - 1, budget, out problem) is not { } function)
            {
                return null;
            }

            functions.Add(function);
        }

        return value => functions.Aggregate((Term?)value, (result, function) => result is null ? null : function(result));
    }

    private static Func<Term, Term?>? Step(Term step, bool isLast, KeyFilterBudget budget, out string? problem)
    {
        if (step is not Term.List { Items: [Term.Binary word, .. var arguments] })
        {
            problem = $"a key filter is a list of its name and its arguments, and not {step}";
            return null;
        }

        var name = Encoding.UTF8.GetString(word.Bytes.Span);
        problem = budget.WhyTooMuch(name, arguments);
        if (problem is not null)
        {
            return null;
        }

        var isTransform = KeyFilterSteps.IsTransform(name);
        if (isTransform == isLast && (isTransform || KeyFilterSteps.IsKnown(name)))
        {
            problem = isTransform
                ? $"key filter `{name}` only transforms: a test of what it makes has to follow"
                : $"key filter `{name}` is a test and has to be the last: tests are joined by `and` and `or`";
            return null;
        }

        var function = name is "and" or "or" or "not" ? Combine(name, arguments, budget, out problem) : KeyFilterSteps.Find(name, arguments, out problem);
        problem = function is null && problem is null ? $"bad_filter: there is no key filter `{TermText.Shown(name)}`" : problem;
        return problem is null ? function : null;
    }

    private static Func<Term, Term?>? Combine(string name, IReadOnlyList<Term> arguments, KeyFilterBudget budget, out string? problem)
    {
        problem = arguments.Count == 0 || (name == "not" && arguments.Count != 1) ? $"key filter `{name}` takes {(name == "not" ? "one list" : "lists")} of filters" : null;
        var chains = new List<Func<Term, Term?>>();
        foreach (var argument in problem is null ? arguments : [])
        {
            if (Chain(argument, budget, out problem) is not { } chain)
            {
                return null;
            }

            chains.Add(chain);
        }

        return name switch
        {
            _ when problem is not null => null,
            "and" => value => All(chains, value, until: "false"),
            "or" => value => All(chains, value, until: "true"),
            _ => value => chains[0](value) is Term.Atom { Name: var truth } ? Term.Of(truth == "false") : null,
        };
    }

    /// <summary>The first answer that settles it, or else the other. A chain that can make nothing of the value settles nothing, and leaves nothing settled unless another does.</summary>
    private static Term? All(List<Func<Term, Term?>> chains, Term value, string until)
    {
        Term? other = Term.Of(until == "false");
        foreach (var chain in chains)
        {
            switch (chain(value))
            {
                case Term.Atom { Name: var truth } atom when truth == until:
                    return atom;
                case null:
                    other = null;
                    break;
            }
        }

        return other;
    }
}
