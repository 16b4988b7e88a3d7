using System.Net;

namespace Kv.Core.Security;

/// <summary>How a user who connects from some address is to show who it is.</summary>
public abstract record Authentication
{
    private Authentication()
    {
    }

    /// <summary>No way: <paramref name="Reason"/> is Riak's word, for the log. A client learns only that it failed.</summary>
    public sealed record Refused(string Reason) : Authentication;

    /// <summary>It needs not.</summary>
    public sealed record Trusted : Authentication;

    public sealed record ByPassword(PasswordHash Expected) : Authentication;

    /// <summary>By a certificate whose common name is the user's.</summary>
    public sealed record ByCertificate : Authentication;

    /// <summary>
    /// Decides by the first source that fits: a user's own before those of all, then the longest prefix (riak_core_security:match_source). Later ones are not tried, whatever
    /// becomes of it.
    /// </summary>
    public static Authentication Of(SecurityState state, string user, IPAddress peer)
    {
        if (!state.Users.TryGetValue(user, out var known))
        {
            return new Refused("unknown_user");
        }

        foreach (var (key, source) in state.Sources)
        {
            if ((key.User == user || key.IsForAll) && key.Network.Contains(peer))
            {
                return source.Kind switch
                {
                    SourceKind.Trust => new Trusted(),
                    SourceKind.Certificate => new ByCertificate(),
                    _ => known.Password is { } password ? new ByPassword(password) : new Refused("missing_password"),
                };
            }
        }

        return new Refused("no_matching_sources");
    }
}
