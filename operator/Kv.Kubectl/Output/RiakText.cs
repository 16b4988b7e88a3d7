using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Headings and lists as Riak's console has them.</summary>
internal static class RiakText
{
    private const int Width = 79;

    public static string Rule { get; } = new('-', Width);

    /// <summary><c>['a','b']</c></summary>
    public static string ListOf(IEnumerable<Member> members) => $"[{string.Join(',', members.Select(member => $"'{member.Name}'"))}]";

    /// <summary><c>===== Membership =====</c>, as wide as a page.</summary>
    public static string Title(string text)
    {
        var left = (Width - text.Length - 2) / 2;
        return $"{new string('=', left)} {text} {new string('=', Width - text.Length - 2 - left)}";
    }
}
