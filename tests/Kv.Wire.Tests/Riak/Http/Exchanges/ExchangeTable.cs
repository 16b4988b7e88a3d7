using System.Text.RegularExpressions;

namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>
/// A family of cases as a file: `## SECTION TITLE` begins a case, or `## SECTION (ours) TITLE`; `> ` begins a line of a request, `&lt; ` one of its answer, and `&gt;&gt; ` a piece of a request that goes out as it stands. What begins with `# ` is
/// for the reader. Of a body, the lines make one text: its line ends are written as `\r\n` and `\n` (<see cref="WireText"/>).
/// </summary>
internal static partial class ExchangeTable
{
    private const string Prefix = "exchanges/";

    /// <summary>All tables of this project, each by its family.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<ExchangeCase>> ReadAll()
    {
        var tables = new SortedDictionary<string, IReadOnlyList<ExchangeCase>>(StringComparer.Ordinal);
        var assembly = typeof(ExchangeTable).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var text = new StreamReader(assembly.GetManifestResourceStream(name)!);
            tables.Add(name[Prefix.Length..], Read(name, text.ReadToEnd().Split('\n')));
        }

        return tables;
    }

    /// <summary>A line that is none of the above is an error with its number.</summary>
    private static List<ExchangeCase> Read(string family, string[] lines)
    {
        var cases = new List<ExchangeCase>();
        var exchanges = new List<Exchange>();
        var (request, answer, isVerbatim) = (new List<string>(), new List<string>(), false);
        foreach (var (number, line) in lines.Index())
        {
            if (answer.Count > 0 && !line.StartsWith('<'))
            {
                exchanges.Add(new Exchange(request, isVerbatim, answer));
                (request, answer) = ([], []);
            }

            if (Title().Match(line) is { Success: true } title)
            {
                exchanges = [];
                cases.Add(new ExchangeCase(title.Groups["section"].Value, title.Groups["ours"].Success, title.Groups["title"].Value, exchanges));
            }
            else if (line.StartsWith('<') && request.Count > 0)
            {
                answer.Add(Rest(line, "<"));
            }
            else if (line.StartsWith('>') && cases.Count > 0)
            {
                isVerbatim = line.StartsWith(">>", StringComparison.Ordinal);
                request.Add(Rest(line, isVerbatim ? ">>" : ">"));
            }
            else if (line.Length > 0 && !line.StartsWith("# ", StringComparison.Ordinal))
            {
                throw new FormatException($"{family}:{number + 1}: what is `{line}`?");
            }
        }

        if (answer.Count > 0)
        {
            exchanges.Add(new Exchange(request, isVerbatim, answer));
        }

        return cases;
    }

    private static string Rest(string line, string mark) => line.Length > mark.Length && line[mark.Length] == ' ' ? line[(mark.Length + 1)..] : line[mark.Length..];

    [GeneratedRegex(@"^## (?<section>\d+(\.\d+)*) (?<ours>\(ours\) )?(?<title>\S.*)$")]
    private static partial Regex Title();
}
