using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Kv.Cluster.Membership;
using Kv.Core.Security;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Access;

/// <summary>
/// What every front end asks: whether clients have to show who they are, whether one is who it says, and whether it may do what it asks for. Reads the cluster document of the
/// moment, so that a grant that is revoked does not outlive it. Safe to call from any thread.
/// </summary>
public sealed partial class AccessControl : IDisposable
{
    /// <summary>Passwords are looked at by half of the processors; so many more wait for their turn.</summary>
    private const int MaxWaiting = 64;

    /// <summary>Users that are remembered; a cluster has fewer (<see cref="SecurityState.MaxUsers"/>), unless they come and go.</summary>
    private const int MaxUsers = 2 * SecurityState.MaxUsers;

    private readonly ClusterState state;
    private readonly ImmutableHashSet<JobClass> disabledJobs;
    private readonly ILogger<AccessControl> log;
    private readonly ConcurrentDictionary<string, KnownPassword> passwords = new(StringComparer.Ordinal);
    private readonly byte[] secret = RandomNumberGenerator.GetBytes(32);
    private readonly SemaphoreSlim deriving = new(Math.Max(1, Environment.ProcessorCount / 2));
    private volatile GrantTable grants = new(SecurityState.Off);
    private int waiting;

    public AccessControl(ClusterState state, ImmutableHashSet<JobClass> disabledJobs, ILogger<AccessControl> log) =>
        (this.state, this.disabledJobs, this.log) = (state, disabledJobs, log);

    /// <summary>Whether clients have to show who they are. All that a request costs where they have not.</summary>
    // hot
    public bool IsOn => state.Current.Document is { Security.IsEnabled: true };

    public void Dispose() => deriving.Dispose();

    /// <summary>Null where this node does such work; else Riak's refusal.</summary>
    public string? WhyDisabled(JobClass job) => disabledJobs.Contains(job) ? JobClassNames.Disabled(job) : null;

    /// <summary>Whether clients have to show who they are, and this one has not, or by means that hold no more.</summary>
    // hot
    public bool IsNobody(AccessUser? user) =>
        state.Current.Document is { Security: { IsEnabled: true } security } && (user is null || !user.HoldsIn(GrantsIn(security)));

    /// <summary>Null where the user may; else Riak's refusal. Nobody (<paramref name="user"/> null) may only where security is off.</summary>
    public string? WhyDenied(AccessUser? user, Permissions permissions, GrantScope scope) =>
        GrantsOf(user, out var refusal) is { } grants ? grants.WhyDenied(permissions, scope) : refusal;

    /// <summary>As <see cref="WhyDenied(AccessUser, Permissions, GrantScope)"/>, before it is known on what: null where there is anything on which the user may.</summary>
    public string? WhyDeniedEverywhere(AccessUser? user, Permissions permissions) =>
        GrantsOf(user, out var refusal) is { } grants ? grants.WhyDeniedEverywhere(permissions) : refusal;

    /// <summary>Null with the refusal where the user is nobody, and without one where security is off.</summary>
    private UserGrants? GrantsOf(AccessUser? user, out string? refusal)
    {
        refusal = null;
        if (state.Current.Document is not { Security: { IsEnabled: true } security })
        {
            return null;
        }

        var table = GrantsIn(security);
        if (user is not null && user.HoldsIn(table))
        {
            return table.Of(user.Name);
        }

        refusal = "Security is enabled, please authenticate first";
        return null;
    }

    public async ValueTask<AccessAnswer> AuthenticateAsync(Credentials credentials, CancellationToken cancel)
    {
        var security = state.Current.Document?.Security ?? SecurityState.Off;
        var name = SecurityNames.Fold(credentials.User);
        if (credentials.Peer is not { } peer)
        {
            return Failed(credentials, "no_peer_address");
        }

        var means = Authentication.Of(security, name, peer);
        var user = new AccessUser(name, peer, means);
        switch (means)
        {
            case Authentication.Trusted:
                return new AccessAnswer.Known(user);
            case Authentication.ByCertificate:
                return credentials.CommonName is { } shown && SecurityNames.Fold(shown) == name
                    ? new AccessAnswer.Known(user)
                    : Failed(credentials, credentials.CommonName is null ? "no_common_name" : "common_name_mismatch");
            case Authentication.ByPassword byPassword:
                return await ByPasswordAsync(user, byPassword.Expected, credentials, cancel);
            case Authentication.Refused refused:
                return Failed(credentials, refused.Reason);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async ValueTask<AccessAnswer> ByPasswordAsync(AccessUser user, PasswordHash expected, Credentials credentials, CancellationToken cancel)
    {
        if (credentials.Password is not { Length: <= PasswordHash.MaxPasswordBytes } password)
        {
            return Failed(credentials, "bad_password");
        }

        var known = KnownOf(user.Name);
        if (known.IsVerified(expected, password, secret))
        {
            return new AccessAnswer.Known(user);
        }

        if (Interlocked.Increment(ref waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref waiting);
            return new AccessAnswer.Overloaded();
        }

        bool isRight;
        try
        {
            await deriving.WaitAsync(cancel);
            try
            {
                isRight = known.IsVerified(expected, password, secret) || await Task.Run(() => expected.Matches(password), cancel);
            }
            finally
            {
                deriving.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }

        if (!isRight)
        {
            return Failed(credentials, "bad_password");
        }

        known.Verify(expected, password, secret);
        return new AccessAnswer.Known(user);
    }

    private GrantTable GrantsIn(SecurityState security)
    {
        var known = grants;
        return ReferenceEquals(known.State, security) ? known : grants = new GrantTable(security);
    }

    private KnownPassword KnownOf(string name)
    {
        if (passwords.TryGetValue(name, out var known))
        {
            return known;
        }

        // Counting takes all the table's locks, so not at each request.
        if (passwords.Count >= MaxUsers)
        {
            passwords.Clear();
        }

        return passwords.GetOrAdd(name, static _ => new KnownPassword());
    }

    private AccessAnswer.Unknown Failed(Credentials credentials, string reason)
    {
        LogFailed(credentials.User.Length <= SecurityNames.MaxBytes ? credentials.User : credentials.User[..SecurityNames.MaxBytes], credentials.Peer?.ToString() ?? "", reason);
        return new AccessAnswer.Unknown();
    }

    [LoggerMessage(2501, LogLevel.Warning, "a client at {Peer} is not taken for user `{User}`: {Reason}")]
    private partial void LogFailed(string user, string peer, string reason);
}
