using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Kv.Core.Objects;

namespace Kv.Core.Security;

/// <summary>What a state may hold, beyond its counts: nothing of it can be read back otherwise, or grow without end.</summary>
internal static class SecurityLimits
{
    private const int MaxOptions = 32;
    private const int MaxOptionBytes = 1024;
    private const string PasswordOption = "password";

    public static string? WhyInvalid(ImmutableSortedDictionary<string, string> options)
    {
        if (options.Count > MaxOptions)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{options.Count} options; at most {MaxOptions}");
        }

        // Options are kept and listed in the clear.
        if (options.Keys.Any(name => name.Trim().Equals(PasswordOption, StringComparison.OrdinalIgnoreCase)))
        {
            return "`password` is a user's alone, and no option";
        }

        return options.Any(option => option.Key.Length == 0 || Bytes(option.Key) > MaxOptionBytes || Bytes(option.Value) > MaxOptionBytes)
            ? string.Create(CultureInfo.InvariantCulture, $"an option has a name, and at most {MaxOptionBytes} bytes in its name and in its value")
            : null;
    }

    public static string? WhyInvalid(GrantScope scope)
    {
        if (scope.BucketType is { } type && (type.Length == 0 || Bytes(type) > ObjectKey.MaxTypeBytes))
        {
            return string.Create(CultureInfo.InvariantCulture, $"a bucket type's name has 1 to {ObjectKey.MaxTypeBytes} bytes");
        }

        return scope.Bucket is { Bucket.Length: 0 or > ObjectKey.MaxBucketBytes }
            ? string.Create(CultureInfo.InvariantCulture, $"a bucket's name has 1 to {ObjectKey.MaxBucketBytes} bytes")
            : null;
    }

    /// <summary>The first law that a state breaks, in words; null where it keeps them all.</summary>
    public static string? WhyBroken(SecurityState state)
    {
        if (state.Users.Count > SecurityState.MaxUsers || state.Groups.Count > SecurityState.MaxGroups
            || state.Sources.Count > SecurityState.MaxSources || state.Grants.Count > SecurityState.MaxGrants)
        {
            return "more users, groups, sources or grants than there can be";
        }

        foreach (var (name, role) in state.Users.Concat(state.Groups))
        {
            if (!SecurityNames.IsLegal(name) || SecurityNames.IsReserved(name) || name != SecurityNames.Fold(name))
            {
                return $"`{name}` is not a user's or group's name";
            }

            if (!role.Groups.All(state.Groups.ContainsKey))
            {
                return $"{name} is in a group that is not there";
            }
        }

        return state.Sources.Keys.FirstOrDefault(key => !key.IsForAll && !state.Users.ContainsKey(key.User)) is { } source ? $"a source is for {source.User}, who is no user"
            : state.Grants.FirstOrDefault(grant => !IsHeld(state, grant.Key.Holder) || grant.Value == Permissions.None) is { Key: { } key } ? $"a grant is {key.Holder}'s, which is not there, or of nothing"
            : null;
    }

    /// <summary>Why no document may have such a state; null where it may. Not a law of documents: it is costly, and whoever reads one has it already.</summary>
    public static string? WhyTooLong(SecurityState state)
    {
        // Without the switch, whose two words are of different length: what fits can be turned on and off.
        var bytes = SecurityJson.LengthOf(state with { IsEnabled = false });
        return bytes <= SecurityState.MaxBytes ? null : string.Create(
            CultureInfo.InvariantCulture, $"users, groups, sources and grants would have {bytes} bytes; at most {SecurityState.MaxBytes}");
    }

    private static bool IsHeld(SecurityState state, GrantHolder holder) => holder.Kind switch
    {
        GrantHolderKind.User => state.Users.ContainsKey(holder.Name),
        GrantHolderKind.Group => state.Groups.ContainsKey(holder.Name),
        _ => holder == GrantHolder.All,
    };

    private static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);
}
