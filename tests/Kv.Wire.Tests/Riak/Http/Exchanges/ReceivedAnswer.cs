using System.Globalization;
using System.Text;

namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>What came back over a socket until its end, taken apart: the body has to be as long as the headers say, to the byte.</summary>
/// <param name="Status">The status line.</param>
/// <param name="Headers">Their lines, in the order in which they came.</param>
/// <param name="Body">Without the marks of chunks.</param>
internal sealed record ReceivedAnswer(string Status, IReadOnlyList<string> Headers, string Body)
{
    /// <summary>What each answer has, and tables name only where it is the point.</summary>
    private static readonly string[] Everywhere = ["Date", "Server", "Connection", "Content-Length", "Transfer-Encoding"];

    public static ReceivedAnswer Parse(string received, bool isHead)
    {
        var end = received.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            throw new FormatException($"no whole answer came: `{WireText.Written(received)}`");
        }

        var lines = received[..end].Split("\r\n");
        var body = received[(end + 4)..];
        var isChunked = lines.Contains("Transfer-Encoding: chunked");
        var length = lines.FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal))?["Content-Length: ".Length..];
        if (!isChunked && body.Length != (length is null || isHead ? 0 : int.Parse(length, CultureInfo.InvariantCulture)))
        {
            throw new FormatException($"{body.Length} bytes of body came, Content-Length is {length ?? "not there"}");
        }

        return new ReceivedAnswer(lines[0], lines[1..], isChunked && !isHead ? Joined(body) : body);
    }

    /// <summary>As it is compared with <paramref name="expected"/>, of which a row's lines are the head up to an empty one: the names of that in their order, each with all its lines, then whatever else came.</summary>
    public string Beside(IReadOnlyList<string> expected)
    {
        var names = expected.Skip(1).TakeWhile(line => line.Length > 0).Select(NameOf).Distinct().ToList();
        var others = Headers.Where(line => !names.Contains(NameOf(line)) && !Everywhere.Contains(NameOf(line)));
        return Text([Status, .. names.SelectMany(name => Headers.Where(line => NameOf(line) == name)), .. others], Body);
    }

    /// <summary>What an answer's lines in a table say, in the same form.</summary>
    public static string Expected(IReadOnlyList<string> lines)
    {
        var head = lines.TakeWhile(line => line.Length > 0).ToList();
        var names = head.Skip(1).Select(NameOf).Distinct();
        return Text([head[0], .. names.SelectMany(name => head.Skip(1).Where(line => NameOf(line) == name))], string.Concat(lines.Skip(head.Count + 1)));
    }

    private static string Text(IEnumerable<string> head, string body) => string.Concat(head.Select(line => line + "\n")) + "\n" + body;

    private static string NameOf(string header) => header[..header.IndexOf(':', StringComparison.Ordinal)];

    private static string Joined(string chunks)
    {
        var body = new StringBuilder();
        for (var at = 0; ;)
        {
            var line = chunks.IndexOf("\r\n", at, StringComparison.Ordinal);
            var size = int.Parse(chunks.AsSpan(at, line - at), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(chunks, line + 2, size);
            at = line + 2 + size + 2;
            if (chunks[(at - 2)..at] != "\r\n" || (size == 0 && at != chunks.Length))
            {
                throw new FormatException("the chunks do not end where they say");
            }

            if (size == 0)
            {
                return body.ToString();
            }
        }
    }
}
