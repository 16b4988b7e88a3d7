using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>
/// Bytes as text, one character each (Latin-1), and as the tables write them: UTF-8 with `\r`, `\n`, `\t`, `\\` and `\xHH`. `{name}` stands for what an earlier answer of the case had at that place, `{*}` for whatever is there.
/// </summary>
internal static partial class WireText
{
    /// <summary>The bytes that a table's text stands for. A name that nothing has been found for stays as it is.</summary>
    public static string Bytes(string written, IReadOnlyDictionary<string, string> known) =>
        Name().Replace(Plain(written), name => known.TryGetValue(name.Groups["name"].Value, out var value) ? value : name.Value);

    /// <summary>What a table's text has to match: known names by their values, the first of an unknown one as a group of that name, later ones as what that group holds.</summary>
    public static string Pattern(string written, IReadOnlyDictionary<string, string> known)
    {
        var pattern = new StringBuilder("^");
        var (from, groups, text) = (0, new HashSet<string>(), Plain(written));
        foreach (Match hole in Name().Matches(text))
        {
            var name = hole.Groups["name"].Value;
            pattern.Append(Regex.Escape(text[from..hole.Index]));
            pattern.Append(
                name == "*" ? "(?s:.*?)"
                : known.TryGetValue(name, out var value) ? Regex.Escape(value)
                : groups.Add(name) ? $"(?<{name}>[^\"\r\n]+?)"
                : $"\\k<{name}>");
            from = hole.Index + hole.Length;
        }

        return pattern.Append(Regex.Escape(text[from..])).Append("\\z").ToString();
    }

    /// <summary>Bytes as a table would write them.</summary>
    public static string Written(string bytes)
    {
        var text = new StringBuilder();
        foreach (var c in bytes)
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '\r' => text.Append(@"\r"),
                '\n' => text.Append(@"\n"),
                '\t' => text.Append(@"\t"),
                < ' ' or > '~' => text.Append(CultureInfo.InvariantCulture, $@"\x{(int)c:x2}"),
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }

    private static string Plain(string written) => Escape().Replace(
        Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(written)),
        escape => escape.Value[1] switch
        {
            'r' => "\r",
            'n' => "\n",
            't' => "\t",
            '\\' => "\\",
            _ => ((char)int.Parse(escape.Value.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
        });

    [GeneratedRegex(@"\\([rnt\\]|x[0-9a-fA-F]{2})")]
    private static partial Regex Escape();

    [GeneratedRegex(@"\{(?<name>[a-z][a-z0-9]*|\*)\}")]
    private static partial Regex Name();
}
