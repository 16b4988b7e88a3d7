using System.Globalization;
using System.Numerics;

namespace Kv.Core.MapReduce;

/// <summary>Numbers as text, as Erlang reads and writes them.</summary>
public static class NumberText
{
    /// <summary>Digits of an integer, read from JSON or text: the time for more grows faster than they do.</summary>
    public const int MaxDigits = 1000;

    /// <summary>The shortest that reads back as the same float; with a point or an exponent, since it is no integer.</summary>
    public static string Of(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0";
    }

    /// <summary>Erlang's float_to_list: twenty digits behind the point, and an exponent of two at least.</summary>
    public static string Scientific(double value)
    {
        var text = value.ToString("e20", CultureInfo.InvariantCulture);
        var exponent = text.IndexOf('e', StringComparison.Ordinal) + 2;
        return text[exponent] == '0' ? text[..exponent] + text[(exponent + 1)..] : text;
    }

    /// <summary>Erlang's list_to_integer: digits, and a sign before them or none. Null for what is none, or longer than <see cref="MaxDigits"/>.</summary>
    public static BigInteger? Integer(ReadOnlySpan<char> text)
    {
        var digits = text.Length > 0 && text[0] is '+' or '-' ? text[1..] : text;
        return digits.Length is 0 or > MaxDigits || digits.ContainsAnyExceptInRange('0', '9')
            ? null
            : BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    /// <summary>Erlang's list_to_float, which asks for a point with digits on both its sides. Null for what is none, or is not finite.</summary>
    public static double? Real(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return point > 0 && point + 1 < text.Length && char.IsAsciiDigit(text[point - 1]) && char.IsAsciiDigit(text[point + 1])
            && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value) ? value : null;
    }
}
