using System.Text;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>multipart/mixed by the letter of RFC 2046 and of Riak's form: every boundary with its line ends, nothing before the first and nothing after the last.</summary>
internal static class MultipartParser
{
    public static List<(Dictionary<string, string> Headers, string Body)> Parse(string contentType, byte[] body)
    {
        const string Prefix = "multipart/mixed; boundary=";
        Assert.StartsWith(Prefix, contentType, StringComparison.Ordinal);
        var delimiter = $"\r\n--{contentType[Prefix.Length..]}";
        var text = Encoding.Latin1.GetString(body);
        var end = delimiter + "--\r\n";
        if (text == end)
        {
            return [];
        }

        Assert.StartsWith(delimiter + "\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith(end, text, StringComparison.Ordinal);
        var parts = text[..^end.Length].Split(delimiter + "\r\n");
        Assert.Equal("", parts[0]);
        return [.. parts.Skip(1).Select(ParsePart)];
    }

    private static (Dictionary<string, string> Headers, string Body) ParsePart(string part)
    {
        var blank = part.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(blank > 0, "a part has headers and a blank line");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in part[..blank].Split("\r\n"))
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            Assert.True(colon > 0, $"not a header: {line}");
            Assert.True(headers.TryAdd(line[..colon], line[(colon + 2)..]), $"twice: {line}");
        }

        return (headers, part[(blank + 4)..]);
    }
}
