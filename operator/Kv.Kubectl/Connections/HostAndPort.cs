using System.Globalization;

namespace Kv.Kubectl.Connections;

/// <summary><c>host:port</c>; an IPv6 host stands in brackets.</summary>
internal static class HostAndPort
{
    public static bool IsValid(string text) => Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri)
        && uri.AbsolutePath == "/" && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0 && !text.EndsWith('/')
        && Port(text) is > 0 and <= ushort.MaxValue;

    public static int Port(string text) =>
        int.TryParse(text.AsSpan(text.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;

    public static bool IsLoopback(string text) => Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri) && uri.IsLoopback;

    public static string WithPort(string text, int port) => string.Create(CultureInfo.InvariantCulture, $"{text[..text.LastIndexOf(':')]}:{port}");
}
