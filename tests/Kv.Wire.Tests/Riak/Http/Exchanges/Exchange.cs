using System.Globalization;

namespace Kv.Wire.Tests.Riak.Http.Exchanges;

/// <summary>One request and its answer, as they stand in a table.</summary>
/// <param name="Request">Its lines; of a request that is <paramref name="IsVerbatim"/>, its bytes with the escapes of <see cref="WireText"/>.</param>
/// <param name="IsVerbatim">Goes out as it stands: no line ends and no headers are added.</param>
/// <param name="Answer">The lines of what has to come back.</param>
internal sealed record Exchange(IReadOnlyList<string> Request, bool IsVerbatim, IReadOnlyList<string> Answer)
{
    /// <summary>The request's bytes, with what HTTP asks for besides, and names as they are known.</summary>
    public string Sent(IReadOnlyDictionary<string, string> known, bool staysConnected)
    {
        if (IsVerbatim)
        {
            return WireText.Bytes(string.Concat(Request), known);
        }

        var head = Request.TakeWhile(line => line.Length > 0).Select(line => WireText.Bytes(line, known)).ToList();
        var hasBody = Request.Count > head.Count;
        var body = WireText.Bytes(string.Concat(Request.Skip(head.Count + 1)), known);
        Add(head, "Host", "riak");
        if (!staysConnected)
        {
            Add(head, "Connection", "close");
        }

        if (hasBody)
        {
            Add(head, "Content-Length", body.Length.ToString(CultureInfo.InvariantCulture));
        }

        return string.Concat(head.Select(line => line + "\r\n")) + "\r\n" + body;
    }

    private static void Add(List<string> head, string name, string value)
    {
        if (!head.Any(line => line.StartsWith(name + ":", StringComparison.Ordinal)))
        {
            head.Add($"{name}: {value}");
        }
    }
}
