using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Kv.Core.Buckets;

namespace Kv.Wire.Hooks;

/// <summary>Where a hook is, and what becomes of a write where it does not answer: refused, or (<paramref name="IsIgnoredOnFailure"/>) done as if it had accepted.</summary>
public sealed record HookEndpoint(string Name, Uri Address, bool IsIgnoredOnFailure)
{
    public const int MaxEndpoints = 64;

    private const string Ignoring = ":ignore";

    /// <summary>Reads `NAME=URL` and `NAME:ignore=URL`, with commas between (a comma in a URL is `%2C`).</summary>
    public static bool TryParse(string text, out ImmutableSortedDictionary<string, HookEndpoint> endpoints, [NotNullWhen(false)] out string? problem)
    {
        endpoints = ImmutableSortedDictionary.Create<string, HookEndpoint>(StringComparer.Ordinal);
        problem = null;
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (ReadOne(item) is not { } endpoint)
            {
                problem = "must be NAME=URL or NAME:ignore=URL, with commas between: names of 1 to 63 lower-case letters, digits and hyphens, URLs of http or https without a user";
                return false;
            }

            if (endpoints.ContainsKey(endpoint.Name))
            {
                problem = $"names {endpoint.Name} twice";
                return false;
            }

            endpoints = endpoints.Add(endpoint.Name, endpoint);
        }

        problem = endpoints.Count > MaxEndpoints ? $"must be at most {MaxEndpoints} hooks" : null;
        return problem is null;
    }

    private static HookEndpoint? ReadOne(string item)
    {
        var equals = item.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return null;
        }

        var name = item[..equals].TrimEnd();
        var ignores = name.EndsWith(Ignoring, StringComparison.Ordinal);
        name = ignores ? name[..^Ignoring.Length] : name;
        return CommitHooks.IsName(name) && Uri.TryCreate(item[(equals + 1)..].TrimStart(), UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https" && address.UserInfo.Length == 0 && address.Fragment.Length == 0
            ? new HookEndpoint(name, address, ignores)
            : null;
    }
}
