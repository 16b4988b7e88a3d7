using System.Globalization;
using System.Text;

namespace Kv.Chaos.Reports;

/// <summary>One panel of the picture: a title, a scale at its left, and what is drawn over the time axis that all panels share.</summary>
internal sealed class SvgPanel(StringBuilder svg, double left, double top, double width, double height, double seconds)
{
    private const double LogDecades = 4;
    private const string Ink = "#333";

    public double Top => top;

    public double Bottom => top + height;

    public double X(double at) => left + (width * Math.Clamp(at / seconds, 0, 1));

    public void Frame(string title)
    {
        Rect(left, top, width, height, "#fafafa", 1);
        Text(left, top - 6, title, "start", 13, Ink, isBold: true);
    }

    /// <summary>Lines and numbers at a few round values from 0 to the maximum.</summary>
    public void LinearScale(double maximum, Func<double, string> label)
    {
        var step = Step(maximum / 4);
        for (var value = 0.0; value <= maximum; value += step)
        {
            Line(value / maximum, label(value));
        }
    }

    /// <summary>From 1 ms to 10 s.</summary>
    public void LatencyScale()
    {
        var labels = new[] { "1 ms", "10 ms", "100 ms", "1 s", "10 s" };
        for (var decade = 0; decade < labels.Length; decade++)
        {
            Line(decade / LogDecades, labels[decade]);
        }
    }

    public static double OfLatency(double latency) => Math.Clamp(Math.Log10(Math.Max(latency, 0.001) / 0.001) / LogDecades, 0, 1);

    /// <summary>A maximum for a scale: the next round number.</summary>
    public static double Round(double maximum)
    {
        var step = Step(Math.Max(maximum, 1) / 4);
        return Math.Ceiling(Math.Max(maximum, 1) / step) * step;
    }

    /// <summary>A line through points whose heights are fractions of the panel; a point that is not a number leaves a gap.</summary>
    public void Curve(IEnumerable<(double At, double Fraction)> points, string color)
    {
        var path = new StringBuilder();
        var isOpen = false;
        foreach (var (at, fraction) in points)
        {
            if (double.IsNaN(fraction))
            {
                isOpen = false;
                continue;
            }

            path.Append(CultureInfo.InvariantCulture, $"{(isOpen ? 'L' : 'M')}{X(at):0.0} {Y(fraction):0.0}");
            isOpen = true;
        }

        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>\n");
    }

    /// <summary>A bar over one second, from one fraction of the height to another.</summary>
    public void Bar(double second, double from, double to, string color)
    {
        if (to > from)
        {
            Rect(X(second), Y(to), Math.Max(X(second + 1) - X(second), 0.8), Y(from) - Y(to), color, 1);
        }
    }

    public void Rect(double x, double y, double w, double h, string color, double opacity, string? tip = null) =>
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.0}\" y=\"{y:0.0}\" width=\"{Math.Max(w, 0):0.0}\" height=\"{h:0.0}\" fill=\"{color}\" fill-opacity=\"{opacity}\">{(tip is null ? "" : $"<title>{Escape(tip)}</title>")}</rect>\n");

    public void Text(double x, double y, string text, string anchor, int size, string color, bool isBold = false) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.0}\" y=\"{y:0.0}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{color}\"{(isBold ? " font-weight=\"600\"" : "")}>{Escape(text)}</text>\n");

    /// <summary>What the colours mean, from the right end of the title's line to the left.</summary>
    public void Legend(params (string Name, string Color)[] entries)
    {
        var x = left + width;
        foreach (var (name, color) in entries.Reverse())
        {
            x -= (name.Length * 6.4) + 26;
            Rect(x, top - 16, 11, 11, color, 1);
            Text(x + 15, top - 6, name, "start", 12, Ink);
        }
    }

    private static double Step(double about)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(about)));
        return (about / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 } * power;
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    private double Y(double fraction) => top + (height * (1 - Math.Clamp(fraction, 0, 1)));

    private void Line(double fraction, string label)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{left:0.0} {Y(fraction):0.0}h{width:0.0}\" stroke=\"#ddd\" stroke-width=\"1\"/>\n");
        Text(left - 8, Y(fraction) + 4, label, "end", 11, "#666");
    }
}
