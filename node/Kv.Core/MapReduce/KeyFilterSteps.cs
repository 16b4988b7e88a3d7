using System.Collections.Frozen;
using System.Numerics;
using System.Text;
using System.Text.Unicode;
using Kv.Core.Indexes;

namespace Kv.Core.MapReduce;

/// <summary>The transforms and tests of key filters by Riak's names (reference 9.2). A step gives null where it can make nothing of its value.</summary>
internal static class KeyFilterSteps
{
    /// <summary>Bytes of a text to be similar to, and its distance at most: the time for a key grows with their product.</summary>
    public const int MaxSimilar = 1024;

    private static readonly FrozenDictionary<string, Func<Term, Term?>> PlainTransforms = new Dictionary<string, Func<Term, Term?>>
    {
        ["int_to_string"] = value => value is Term.Integer ? Term.Of(value.ToString()) : null,
        ["string_to_int"] = value => NumberText.Integer(Encoding.Latin1.GetString(BytesOf(value).Span)) is { } number ? Term.Of(number) : null,
        ["float_to_string"] = value => value is Term.Real real ? Term.Of(NumberText.Scientific(real.Value)) : null,
        ["string_to_float"] = value => NumberText.Real(Encoding.Latin1.GetString(BytesOf(value).Span)) is { } number ? new Term.Real(number) : null,
        ["to_upper"] = value => Mapped(value, one => one is >= (byte)'a' and <= (byte)'z' ? (byte)(one - 32) : one),
        ["to_lower"] = value => Mapped(value, one => one is >= (byte)'A' and <= (byte)'Z' ? (byte)(one + 32) : one),
        ["urldecode"] = value => new Term.Binary(UrlDecoded(BytesOf(value).Span)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Func<Term, Term, bool>> Comparisons = new Dictionary<string, Func<Term, Term, bool>>
    {
        ["greater_than"] = (value, than) => TermOrder.Instance.Compare(value, than) > 0,
        ["less_than"] = (value, than) => TermOrder.Instance.Compare(value, than) < 0,
        ["greater_than_eq"] = (value, than) => TermOrder.Instance.Compare(value, than) >= 0,
        ["less_than_eq"] = (value, than) => TermOrder.Instance.Compare(value, than) <= 0,
        ["eq"] = (value, other) => value.Equals(other),
        ["neq"] = (value, other) => !value.Equals(other),
        ["starts_with"] = (value, text) => BytesOf(value).Span.StartsWith(BytesOf(text).Span),
        ["ends_with"] = (value, text) => BytesOf(value).Span.EndsWith(BytesOf(text).Span),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> OtherTests = FrozenSet.Create(StringComparer.Ordinal, "between", "matches", "set_member", "similar_to", "and", "or", "not");

    public static bool IsTransform(string name) => name == "tokenize" || PlainTransforms.ContainsKey(name);

    public static bool IsKnown(string name) => IsTransform(name) || Comparisons.ContainsKey(name) || OtherTests.Contains(name);

    /// <summary>Null with the problem, where the arguments are not the step's, and without one where there is no such step.</summary>
    public static Func<Term, Term?>? Find(string name, IReadOnlyList<Term> arguments, out string? problem)
    {
        problem = null;
        if (PlainTransforms.GetValueOrDefault(name) is { } transform)
        {
            return transform;
        }

        if (Comparisons.GetValueOrDefault(name) is { } comparison)
        {
            problem = arguments.Count == 0 ? $"key filter `{name}` takes a value" : null;
            return problem is null ? value => Term.Of(comparison(value, arguments[0])) : null;
        }

        return name switch
        {
            "tokenize" => Tokenize(arguments, out problem),
            "between" => Between(arguments, out problem),
            "matches" => Matches(arguments, out problem),
            "set_member" => SetMember(arguments),
            "similar_to" => SimilarTo(arguments, out problem),
            _ => null,
        };
    }

    /// <summary>The word of that number, from 1 on, of those that any of the separators part.</summary>
    private static Func<Term, Term?>? Tokenize(IReadOnlyList<Term> arguments, out string? problem)
    {
        if (arguments is not [var separators, Term.Integer number] || number.Value < 1 || number.Value > int.MaxValue)
        {
            problem = "key filter `tokenize` takes separators and the number of a word, from 1 on";
            return null;
        }

        problem = null;
        var (apart, wanted) = (BytesOf(separators), (int)number.Value);
        return value =>
        {
            var left = wanted;
            var text = BytesOf(value);
            foreach (var range in text.Span.SplitAny(apart.Span))
            {
                var word = text[range];
                if (!word.IsEmpty && --left == 0)
                {
                    return new Term.Binary(word);
                }
            }

            return null;
        };
    }

    private static Func<Term, Term?>? Between(IReadOnlyList<Term> arguments, out string? problem)
    {
        if (arguments is not ([_, _] or [_, _, Term.Atom { Name: "true" or "false" }]))
        {
            problem = "key filter `between` takes the least and the greatest value, and true or false for whether these count";
            return null;
        }

        problem = null;
        var least = arguments.Count == 3 && arguments[2].Equals(Term.False) ? 1 : 0;
        return value => Term.Of(TermOrder.Instance.Compare(value, arguments[0]) >= least && -TermOrder.Instance.Compare(value, arguments[1]) >= least);
    }

    private static Func<Term, Term?>? Matches(IReadOnlyList<Term> arguments, out string? problem)
    {
        var pattern = arguments is [Term.Binary text, ..] && Utf8.IsValid(text.Bytes.Span) ? TermPattern.TryCreate(Encoding.UTF8.GetString(text.Bytes.Span)) : null;
        problem = pattern is null ? $"key filter `matches` takes a regular expression without look-around and back references, and not {(arguments.Count > 0 ? arguments[0] : Term.Undefined)}" : null;
        return pattern is null ? null : value =>
        {
            var bytes = BytesOf(value).Span;
            return Term.Of(pattern.IsMatch(Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes)));
        };
    }

    private static Func<Term, Term?> SetMember(IReadOnlyList<Term> arguments)
    {
        var members = arguments.Select(argument => (Term)new Term.Binary(BytesOf(argument))).ToHashSet();
        return value => Term.Of(members.Contains(new Term.Binary(BytesOf(value))));
    }

    private static Func<Term, Term?>? SimilarTo(IReadOnlyList<Term> arguments, out string? problem)
    {
        if (arguments is not [var text, Term.Integer { Value: var most }] || most < BigInteger.Zero || most > MaxSimilar || BytesOf(text).Length > MaxSimilar)
        {
            problem = $"key filter `similar_to` takes a text of up to {MaxSimilar} bytes and a distance of up to {MaxSimilar}";
            return null;
        }

        problem = null;
        var to = BytesOf(text);
        return value => Term.Of(AreSimilar(BytesOf(value).Span, to.Span, (int)most));
    }

    /// <summary>Whether so many bytes put in, taken out or changed make one of the other (Levenshtein).</summary>
    private static bool AreSimilar(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int most)
    {
        if (Math.Abs(left.Length - right.Length) > most)
        {
            return false;
        }

        var distances = new int[right.Length + 1];
        for (var at = 0; at <= right.Length; at++)
        {
            distances[at] = at;
        }

        foreach (var one in left)
        {
            var diagonal = distances[0]++;
            for (var at = 1; at <= right.Length; at++)
            {
                var changed = diagonal + (one == right[at - 1] ? 0 : 1);
                diagonal = distances[at];
                distances[at] = Math.Min(changed, 1 + Math.Min(distances[at], distances[at - 1]));
            }
        }

        return distances[^1] <= most;
    }

    /// <summary>What Riak's filters take for a value's text.</summary>
    internal static ReadOnlyMemory<byte> BytesOf(Term value) => value switch
    {
        Term.Binary binary => binary.Bytes,
        Term.Real real => Encoding.ASCII.GetBytes(NumberText.Scientific(real.Value)),
        _ => Encoding.UTF8.GetBytes(value.ToString()),
    };

    private static Term.Binary Mapped(Term value, Func<byte, byte> map) => new(BytesOf(value).ToArray().Select(map).ToArray());

    /// <summary>As of a form: `+` is a space; an escape that is none stands for itself; `&amp;` and `;` end it.</summary>
    private static byte[] UrlDecoded(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny((byte)'&', (byte)';');
        var encoded = end < 0 ? text : text[..end];
        var decoded = new byte[encoded.Length];
        var length = 0;
        for (var at = 0; at < encoded.Length; at++)
        {
            var isEscape = encoded[at] == '%' && at + 2 < encoded.Length && char.IsAsciiHexDigit((char)encoded[at + 1]) && char.IsAsciiHexDigit((char)encoded[at + 2]);
            decoded[length++] = isEscape ? Convert.FromHexString(Encoding.ASCII.GetString(encoded.Slice(at + 1, 2)))[0] : encoded[at] == '+' ? (byte)' ' : encoded[at];
            at += isEscape ? 2 : 0;
        }

        return decoded[..length];
    }
}
