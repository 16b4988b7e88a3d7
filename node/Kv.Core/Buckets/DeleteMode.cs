using System.Globalization;

namespace Kv.Core.Buckets;

/// <summary>
/// When a tombstone that every primary holds may be reaped: after a delay (Riak's default, 3000 ms), at once, or never (`keep`).
/// <see cref="DelayMilliseconds"/> is 0 for `immediate` and -1 for `keep`.
/// </summary>
public readonly record struct DeleteMode(int DelayMilliseconds)
{
    public static DeleteMode Keep => new(-1);

    public static DeleteMode Immediate => new(0);

    public static DeleteMode Default => new(3000);

    public bool Keeps => DelayMilliseconds < 0;

    public static bool TryParse(string text, out DeleteMode mode)
    {
        (var ok, mode) = text switch
        {
            "keep" => (true, Keep),
            "immediate" => (true, Immediate),
            _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var delay) => (true, new DeleteMode(delay)),
            _ => (false, Default),
        };
        return ok;
    }

    public override string ToString() => DelayMilliseconds switch
    {
        < 0 => "keep",
        0 => "immediate",
        _ => DelayMilliseconds.ToString(CultureInfo.InvariantCulture),
    };
}
