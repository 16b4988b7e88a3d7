using System.Globalization;
using Kv.Core.Quorum;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// A request's query parameters by type. The first one that cannot be read becomes <see cref="Fault"/>, in Riak's words; the rest reads on, so that a request is taken
/// apart in straight lines and judged once.
/// </summary>
internal sealed class QueryOptions(HttpRequest request)
{
    /// <summary>Milliseconds; a longer timeout is cut to a day.</summary>
    private const long LongestTimeout = 24L * 60 * 60 * 1000;

    private readonly bool isEmpty = !request.QueryString.HasValue;

    public HttpFault? Fault { get; private set; }

    public string? Text(string name) => isEmpty || !request.Query.TryGetValue(name, out var values) || values.Count == 0 ? null : values[0];

    public QuorumValue Quorum(string name)
    {
        if (Text(name) is not { } text)
        {
            return QuorumValue.Default;
        }

        if (!QuorumValue.TryParse(text, out var value))
        {
            Fault ??= HttpErrors.BadQuorum(name);
            return QuorumValue.Default;
        }

        return value;
    }

    public bool? Boolean(string name)
    {
        switch (Text(name))
        {
            case null:
                return null;
            case "true":
                return true;
            case "false":
                return false;
            default:
                Fault ??= HttpErrors.BadBoolean(name);
                return null;
        }
    }

    public int? PositiveInteger(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0)
        {
            return value;
        }

        Fault ??= HttpErrors.NotPositive(name, text);
        return null;
    }

    /// <summary>Milliseconds as `timeout`; 0 stands for the default, as in Riak.</summary>
    public TimeSpan? Timeout()
    {
        if (Text("timeout") is not { } text)
        {
            return null;
        }

        if (text.Length > 0 && text.All(char.IsAsciiDigit))
        {
            var isLong = !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds > LongestTimeout;
            return milliseconds == 0 && !isLong ? null : TimeSpan.FromMilliseconds(isLong ? LongestTimeout : milliseconds);
        }

        Fault ??= HttpErrors.BadTimeout(text);
        return null;
    }

    /// <summary>`sync_on_write` is read for its errors only: a put's `dw` is on disk here whatever it says, but in types that ask for less, where the property of the same name decides.</summary>
    public void CheckSyncOnWrite()
    {
        if (Text("sync_on_write") is not (null or "backend" or "one" or "all"))
        {
            Fault ??= HttpErrors.BadSync;
        }
    }
}
