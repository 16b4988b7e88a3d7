using System.Globalization;

namespace Kv.Core.Quorum;

/// <summary>
/// A quorum as people write it: a number, or one of Riak's words, which are resolved against n_val: `one` = 1, `quorum` = N/2 + 1,
/// `all` = N, `default` = what the bucket's property says.
/// </summary>
public readonly record struct QuorumValue
{
    private const int OneCode = -1;
    private const int QuorumCode = -2;
    private const int AllCode = -3;
    private const int DefaultCode = -4;

    private QuorumValue(int code) => Code = code;

    /// <summary>The number, or a negative code for a word; what codecs store.</summary>
    public int Code { get; }

    public static QuorumValue One { get; } = new(OneCode);

    public static QuorumValue Quorum { get; } = new(QuorumCode);

    public static QuorumValue All { get; } = new(AllCode);

    public static QuorumValue Default { get; } = new(DefaultCode);

    public bool IsDefault => Code == DefaultCode;

    public static QuorumValue Of(int number) =>
        number >= 0 ? new QuorumValue(number) : throw new ArgumentOutOfRangeException(nameof(number), number, "a quorum is not negative");

    public static QuorumValue FromCode(int code) =>
        code >= DefaultCode ? new QuorumValue(code) : throw new ArgumentOutOfRangeException(nameof(code), code, "not a quorum's code");

    /// <summary>Reads a number or a word; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out QuorumValue value)
    {
        value = text switch
        {
            "one" => One,
            "quorum" => Quorum,
            "all" => All,
            "default" => Default,
            _ => new QuorumValue(int.MinValue),
        };
        if (value.Code != int.MinValue)
        {
            return true;
        }

        var ok = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        value = ok ? new QuorumValue(number) : default;
        return ok;
    }

    /// <summary>The number of replicas meant among <paramref name="nVal"/>; `default` takes <paramref name="fallback"/>'s meaning, which is not `default` itself.</summary>
    public int Resolve(int nVal, QuorumValue fallback) => Code switch
    {
        OneCode => 1,
        QuorumCode => (nVal / 2) + 1,
        AllCode => nVal,
        DefaultCode when !fallback.IsDefault => fallback.Resolve(nVal, fallback),
        DefaultCode => throw new ArgumentException("a property cannot be `default`", nameof(fallback)),
        _ => Code,
    };

    public override string ToString() => Code switch
    {
        OneCode => "one",
        QuorumCode => "quorum",
        AllCode => "all",
        DefaultCode => "default",
        _ => Code.ToString(CultureInfo.InvariantCulture),
    };
}
