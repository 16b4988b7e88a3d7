using System.Numerics;
using System.Text;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>Riak's reduce functions for Erlang (riak_kv_mapreduce).</summary>
public static class ReduceFunctions
{
    public static IReadOnlyList<ReduceFunction> All { get; } =
    [
        new($"{BuiltIns.Module}:reduce_identity", (inputs, _) => Identity(inputs)),
        new($"{BuiltIns.Module}:reduce_set_union", (inputs, _) => PhaseOutput.Of([.. inputs.Distinct()])),
        new($"{BuiltIns.Module}:reduce_sort", (inputs, _) => PhaseOutput.Of([.. inputs.Order(TermOrder.Instance)])),
        new($"{BuiltIns.Module}:reduce_string_to_integer", (inputs, _) => StringsToIntegers(inputs)),
        new($"{BuiltIns.Module}:reduce_sum", (inputs, _) => Sum(inputs)),
        new($"{BuiltIns.Module}:reduce_plist_sum", (inputs, _) => SumOfProperties(inputs)),
        new($"{BuiltIns.Module}:reduce_count_inputs", (inputs, _) => Count(inputs)),
    ];

    /// <summary>The sum of two numbers: an integer of integers, else a float. Null where one is no number, or the sum is not finite.</summary>
    internal static Term? Add(Term left, Term right)
    {
        if ((left, right) is (Term.Integer a, Term.Integer b))
        {
            return Term.Of(a.Value + b.Value);
        }

        return AsReal(left) + AsReal(right) is { } sum && double.IsFinite(sum) ? new Term.Real(sum) : null;
    }

    /// <summary>Names of objects as lists, which the next phase takes as inputs; key data is dropped.</summary>
    private static PhaseOutput Identity(IReadOnlyList<Term> inputs)
    {
        var named = new List<Term>(inputs.Count);
        foreach (var input in inputs)
        {
            if (Addresses.Of(input) is not { } address)
            {
                return PhaseOutput.Failed($"unhandled_entry: reduce_identity takes names of objects, and {input} is none");
            }

            Term[] name = [new Term.Binary(address.Key.Bucket), new Term.Binary(address.Key.Key)];
            named.Add(Term.Of(address.Key.BucketType == ObjectKey.DefaultType ? name : [.. name, Term.Null, Term.Of(address.Key.BucketType)]));
        }

        return PhaseOutput.Of(named);
    }

    private static PhaseOutput Sum(IReadOnlyList<Term> inputs)
    {
        var sum = Term.Of(BigInteger.Zero);
        foreach (var input in inputs.Where(input => input is not Term.Missing))
        {
            if (Add(sum, input) is not { } more)
            {
                return PhaseOutput.Failed($"badarith: reduce_sum adds numbers, and {input} cannot be added");
            }

            sum = more;
        }

        return PhaseOutput.Of(sum);
    }

    /// <summary>Properties are JSON objects, and lists of them; Riak's are lists of Erlang's pairs.</summary>
    private static PhaseOutput SumOfProperties(IReadOnlyList<Term> inputs)
    {
        var sums = new OrderedDictionary<string, Term>(StringComparer.Ordinal);
        var left = new Stack<Term>(inputs.Reverse());
        while (left.TryPop(out var input))
        {
            switch (input)
            {
                case Term.List list:
                    foreach (var item in list.Items.Reverse())
                    {
                        left.Push(item);
                    }

                    break;
                case Term.Pair pair when TryAdd(sums, pair.Name, pair.Value):
                case Term.Struct members when members.Members.All(member => TryAdd(sums, member.Key, member.Value)):
                    break;
                default:
                    return PhaseOutput.Failed($"badarith: reduce_plist_sum adds properties that are numbers, and {input} has others or none");
            }
        }

        return PhaseOutput.Of([.. sums.Select(sum => new Term.Pair(sum.Key, sum.Value))]);
    }

    private static bool TryAdd(OrderedDictionary<string, Term> sums, string name, Term value)
    {
        if (Add(sums.GetValueOrDefault(name) ?? Term.Of(BigInteger.Zero), value) is not { } sum)
        {
            return false;
        }

        sums[name] = sum;
        return true;
    }

    /// <summary>An input that is an integer counts as so many: it may be an earlier count (as Riak's).</summary>
    private static PhaseOutput Count(IReadOnlyList<Term> inputs)
    {
        var count = BigInteger.Zero;
        foreach (var input in inputs)
        {
            count += input is Term.Integer earlier ? earlier.Value : BigInteger.One;
        }

        return PhaseOutput.Of(Term.Of(count));
    }

    private static PhaseOutput StringsToIntegers(IReadOnlyList<Term> inputs)
    {
        var integers = new List<Term>(inputs.Count);
        foreach (var input in inputs.Where(input => input is not Term.Missing))
        {
            if (AsInteger(input) is not { } integer)
            {
                return PhaseOutput.Failed($"badarg: reduce_string_to_integer takes integers of up to {NumberText.MaxDigits} digits, and {input} is none");
            }

            integers.Add(integer);
        }

        return PhaseOutput.Of(integers);
    }

    private static Term.Integer? AsInteger(Term input) => input switch
    {
        Term.Integer integer => integer,
        Term.Binary text when text.Bytes.Length <= NumberText.MaxDigits + 1 && NumberText.Integer(Encoding.Latin1.GetString(text.Bytes.Span)) is { } value => new Term.Integer(value),
        _ => null,
    };

    private static double? AsReal(Term term) => term switch
    {
        Term.Integer integer => (double)integer.Value,
        Term.Real real => real.Value,
        _ => null,
    };
}
