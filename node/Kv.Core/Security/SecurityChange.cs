using System.Collections.Immutable;

namespace Kv.Core.Security;

/// <summary>
/// What can be done to a <see cref="SecurityState"/>; the words are riak-admin security's. Each is safe to send twice. Names come as people write them; passwords come hashed.
/// </summary>
public abstract record SecurityChange
{
    private SecurityChange()
    {
    }

    /// <summary>Turns security on or off.</summary>
    public sealed record Enable(bool IsEnabled) : SecurityChange;

    public sealed record AddUser(string Name, RoleSettings Settings) : SecurityChange;

    /// <summary>What is not in the settings stays.</summary>
    public sealed record AlterUser(string Name, RoleSettings Settings) : SecurityChange;

    /// <summary>Its sources and grants go with it, so that a later user of that name does not have them. Unknown names are gone already.</summary>
    public sealed record DeleteUser(string Name) : SecurityChange;

    public sealed record AddGroup(string Name, RoleSettings Settings) : SecurityChange;

    public sealed record AlterGroup(string Name, RoleSettings Settings) : SecurityChange;

    /// <summary>Its grants go with it, and nobody is in it any more.</summary>
    public sealed record DeleteGroup(string Name) : SecurityChange;

    /// <summary>One source for each user, or for `all`; takes the place of what there was for that user and network.</summary>
    public sealed record AddSource(ImmutableArray<string> Users, CidrBlock Network, SourceKind Kind, ImmutableSortedDictionary<string, string> Options) : SecurityChange;

    public sealed record DeleteSource(ImmutableArray<string> Users, CidrBlock Network) : SecurityChange;

    /// <summary>To roles by name: `all`, a name that is a user's or a group's, or `user/NAME` and `group/NAME`.</summary>
    public sealed record Grant(Permissions Permissions, GrantScope Scope, ImmutableArray<string> Roles) : SecurityChange;

    /// <summary>What was not granted on this very scope is not there to be revoked: no error.</summary>
    public sealed record Revoke(Permissions Permissions, GrantScope Scope, ImmutableArray<string> Roles) : SecurityChange;
}
