using System.Globalization;

namespace Kv.Node;

/// <summary>Where a protocol listens: at a port, at any port that is free (`0`: the node says which it got), or nowhere (`off`).</summary>
public readonly record struct ListenPort
{
    private readonly int code;

    private ListenPort(int code) => this.code = code;

    public static ListenPort Off => new(-1);

    public static ListenPort Any => new(0);

    public bool IsOff => code < 0;

    /// <summary>The port's number; 0 for any.</summary>
    public int Number => IsOff ? throw new InvalidOperationException("a port that is off has no number") : code;

    public static ListenPort At(int number) => number is > 0 and <= 65535
        ? new ListenPort(number)
        : throw new ArgumentOutOfRangeException(nameof(number), number, "a port is 1 to 65535");

    public static bool TryParse(string text, out ListenPort port)
    {
        port = Off;
        if (text == "off")
        {
            return true;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 65535)
        {
            return false;
        }

        port = new ListenPort(number);
        return true;
    }

    public override string ToString() => IsOff ? "off" : code.ToString(CultureInfo.InvariantCulture);
}
