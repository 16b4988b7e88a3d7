using System.Collections.Immutable;
using System.Text.Json;

namespace Kv.Core.Buckets;

/// <summary>
/// Lists of commit hooks as the properties `precommit` and `postcommit` have them: `[{"name": "check"}]`, the form that Riak's JavaScript hooks had. What a name stands for is the nodes' setting, not the
/// bucket's: who may change properties must not choose whom nodes call.
/// </summary>
public static class CommitHooks
{
    public const int MaxNameLength = 63;

    /// <summary>In one list; they are asked one after the other.</summary>
    public const int MaxHooks = 8;

    /// <summary>1 to 63 lower-case letters, digits and hyphens.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>Reads a list; `none` is an empty one, as in Riak. Null where that worked, else the reason why not.</summary>
    internal static string? TryRead(JsonElement value, out ImmutableArray<string> hooks)
    {
        hooks = [];
        if (value.ValueKind == JsonValueKind.String && value.ValueEquals("none"))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return "must be a list of hooks, each of the form {\"name\": …}";
        }

        if (value.GetArrayLength() > MaxHooks)
        {
            return $"at most {MaxHooks} hooks are allowed";
        }

        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var hook in value.EnumerateArray())
        {
            if (WhyNone(hook, out var name) is { } reason)
            {
                return reason;
            }

            if (names.Contains(name))
            {
                return $"the hook {name} is there twice";
            }

            names.Add(name);
        }

        hooks = names.ToImmutable();
        return null;
    }

    internal static void Write(Utf8JsonWriter writer, string property, ImmutableArray<string> hooks)
    {
        writer.WriteStartArray(property);
        foreach (var name in hooks)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string? WhyNone(JsonElement hook, out string name)
    {
        name = "";
        if (hook.ValueKind == JsonValueKind.Object && hook.TryGetProperty("mod", out var module))
        {
            var function = hook.TryGetProperty("fun", out var given) ? given.ToString() : "";
            return $"{module}:{function} is a function in Erlang, which nodes do not run: a hook is an HTTP callback, {{\"name\": …}}, that the nodes' setting `hooks` gives an address";
        }

        if (hook.ValueKind != JsonValueKind.Object || !hook.TryGetProperty("name", out var text) || text.ValueKind != JsonValueKind.String)
        {
            return "a hook is of the form {\"name\": …}";
        }

        name = text.GetString()!;
        return IsName(name) ? null : $"{name} is no name of a hook, which has 1 to {MaxNameLength} lower-case letters, digits and hyphens";
    }
}
