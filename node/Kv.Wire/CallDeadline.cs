using System.Globalization;
using Grpc.Core;
using Kv.Cluster;
using Microsoft.AspNetCore.Builder;

namespace Kv.Wire;

/// <summary>
/// The deadline of a gRPC call, kept by whoever carries it out. gRPC's server would keep it beside the handler, and end the call while the answer is being written: an error in
/// the log, though nothing is wrong. The client has its own clock, and hangs up when its time is over.
/// </summary>
public static class CallDeadline
{
    private const string Header = "grpc-timeout";
    private const int MaxDigits = 8;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);
    private static readonly object Key = new();

    /// <summary>To stand before gRPC in a server's pipeline: takes the deadline off each call.</summary>
    public static void TakeCallDeadlines(this IApplicationBuilder app, TimeProvider time) => app.Use((http, next) =>
    {
        if (http.Request.Headers.Remove(Header, out var text) && TryParse(text.ToString(), out var left))
        {
            http.Items[Key] = Deadline.After(time, left);
        }

        return next(http);
    });

    /// <summary>When the call's caller gives up; null where it named no time.</summary>
    public static Deadline? Of(ServerCallContext context) => context.GetHttpContext().Items.TryGetValue(Key, out var deadline) ? (Deadline)deadline! : null;

    /// <summary>1 to 8 digits and a unit, as gRPC's protocol has it. What makes no sense is no deadline.</summary>
    internal static bool TryParse(string text, out TimeSpan left)
    {
        left = default;
        if (text.Length is < 2 or > MaxDigits + 1 || !uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        TimeSpan? found = text[^1] switch
        {
            'H' => TimeSpan.FromHours(value),
            'M' => TimeSpan.FromMinutes(value),
            'S' => TimeSpan.FromSeconds(value),
            'm' => TimeSpan.FromMilliseconds(value),
            'u' => TimeSpan.FromMicroseconds(value),
            'n' => TimeSpan.FromMicroseconds(value / 1000),
            _ => null,
        };
        left = found > Longest ? Longest : found ?? default;
        return found is not null;
    }
}
