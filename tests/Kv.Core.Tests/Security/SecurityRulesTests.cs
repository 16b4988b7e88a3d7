using CsCheck;
using Kv.Core.Membership;
using Kv.Core.Security;
using Kv.Core.Tests.Membership;
using Xunit;
using static Kv.Core.Security.SecurityChange;
using static Kv.Core.Tests.Security.SecuritySamples;

namespace Kv.Core.Tests.Security;

public sealed class SecurityRulesTests
{
    [Fact]
    public void AddUser_IsKeptInLowerCase_AndTakesNoNameTwice()
    {
        var state = State(new AddUser("Ada", RoleSettings.None));
        Assert.Equal(["ada"], state.Users.Keys);
        Refused(state, new AddUser("ADA", new RoleSettings { Password = Hashed("x") }), "role_exists", "This name is already in use");
        Assert.Same(state, After(state, new AddUser("ADA", RoleSettings.None)));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("on")]
    [InlineData("To")]
    [InlineData("from")]
    [InlineData("any")]
    public void AddUser_OfAReservedWord_IsRefused(string name) => Refused(SecurityState.Off, new AddUser(name, RoleSettings.None), "reserved_name", "This name is reserved for system use");

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a,b")]
    [InlineData("a=b")]
    [InlineData("user/a")]
    [InlineData("a\u0000")]
    [InlineData("a*")]
    public void AddGroup_OfAnIllegalName_IsRefused(string name) => Refused(SecurityState.Off, new AddGroup(name, RoleSettings.None), "illegal_name_char", "Illegal character(s) in name");

    [Fact]
    public void Names_OfOtherLettersAndMarks_AreLegal()
    {
        foreach (var name in new[] { "a.b-c_d@e", "höhe", "日本" })
        {
            Assert.Equal([name], State(new AddUser(name, RoleSettings.None)).Users.Keys);
        }

        Assert.False(SecurityNames.IsLegal(new string('x', SecurityNames.MaxBytes + 1)));
    }

    [Fact]
    public void Groups_HaveToExist()
    {
        Refused(SecurityState.Off, new AddUser("ada", In("staff", "admins")), "unknown_groups", "Group(s) not recognized: admins, staff");
        var state = State(new AddGroup("staff", RoleSettings.None), new AddUser("ada", In("Staff")));
        Assert.Equal(["staff"], state.Users["ada"].Groups);
        Refused(state, new AlterGroup("staff", In("nobody")), "unknown_groups", "Group(s) not recognized: nobody");
    }

    [Fact]
    public void AlterUser_ChangesWhatItNames_AndNothingElse()
    {
        var state = State(
            new AddGroup("staff", RoleSettings.None),
            new AddUser("ada", new RoleSettings { Password = Hashed("old"), Groups = ["staff"], Options = NoOptions.Add("note", "1") }),
            new AlterUser("ada", new RoleSettings { Password = Hashed("new") }));
        Assert.True(state.Users["ada"].Password!.Matches("new"));
        Assert.Equal(["staff"], state.Users["ada"].Groups);
        Assert.Equal("1", state.Users["ada"].Options["note"]);
        Assert.Empty(After(state, new AlterUser("ada", In())).Users["ada"].Groups);
        Refused(state, new AlterUser("bob", RoleSettings.None), "unknown_user", "User not recognized: bob");
        Refused(state, new AlterGroup("bob", RoleSettings.None), "unknown_group", "Group not recognized: bob");
    }

    [Fact]
    public void AGroup_HasNoPassword() => Refused(SecurityState.Off, new AddGroup("staff", new RoleSettings { Password = Hashed("x") }), "invalid_option", "a group has no password");

    [Theory]
    [InlineData("password")]
    [InlineData("Password")]
    [InlineData(" password")]
    public void AnOption_IsNoPassword(string name)
    {
        var options = NoOptions.Add(name, "secret");
        Refused(SecurityState.Off, new AddUser("ada", new RoleSettings { Options = options }), "invalid_option", "`password` is a user's alone, and no option");
        Refused(SecurityState.Off, new AddGroup("staff", new RoleSettings { Options = options }), "invalid_option", "`password` is a user's alone, and no option");
        Refused(SecurityState.Off, new AddSource(["all"], Network("10.0.0.0/8"), SourceKind.Password, options), "invalid_option", "`password` is a user's alone, and no option");
    }

    [Fact]
    public void DeleteUser_TakesItsSourcesAndGrants_SoThatALaterUserOfThatNameHasNone()
    {
        var state = State(
            new AddUser("ada", RoleSettings.None),
            new AddGroup("ada", RoleSettings.None),
            Source("ada", "10.0.0.0/8", SourceKind.Trust),
            Source("all", "10.0.0.0/8", SourceKind.Password),
            new Grant(Permissions.Get, Scope(null), ["user/ada", "group/ada", "all"]),
            new DeleteUser("Ada"));
        Assert.Empty(state.Users);
        Assert.Equal(["all"], state.Sources.Keys.Select(key => key.User));
        Assert.Equal([GrantHolder.All, GrantHolder.Group("ada")], state.Grants.Keys.Select(key => key.Holder));
        Assert.Same(state, After(state, new DeleteUser("ada")));
    }

    [Fact]
    public void DeleteGroup_LeavesNobodyInIt()
    {
        var state = State(
            new AddGroup("staff", RoleSettings.None),
            new AddGroup("admins", In("staff")),
            new AddUser("ada", In("staff", "admins")),
            new Grant(Permissions.Get, Scope(null), ["staff"]),
            new DeleteGroup("staff"));
        Assert.Equal(["admins"], state.Users["ada"].Groups);
        Assert.Empty(state.Groups["admins"].Groups);
        Assert.Empty(state.Grants);
    }

    [Fact]
    public void AddSource_NamesUsersThatExist_OrAllAlone()
    {
        Refused(SecurityState.Off, Source("ada,bob", "10.0.0.0/8", SourceKind.Trust), "unknown_users", "User(s) not recognized: ada, bob");
        Refused(State(new AddUser("ada", RoleSettings.None)), Source("ada,all", "10.0.0.0/8", SourceKind.Trust), "unknown_users", "name users, or `all` alone");
        var state = State(Source("all", "10.1.2.3/8", SourceKind.Trust), Source("all", "10.0.0.0/8", SourceKind.Certificate));
        Assert.Equal("10.0.0.0/8", Assert.Single(state.Sources).Key.Network.ToString());
        Assert.Equal(SourceKind.Certificate, state.Sources.Values.Single().Kind);
        Assert.Empty(After(state, new DeleteSource(["all"], Network("10.9.9.9/8"))).Sources);
    }

    [Fact]
    public void Grant_NamesRolesThatExist_AndTellsAUserFromAGroup()
    {
        var state = State(new AddUser("ada", RoleSettings.None), new AddGroup("ada", RoleSettings.None), new AddUser("bob", RoleSettings.None));
        Refused(state, new Grant(Permissions.Get, Scope(null), ["bob", "eve", "group/bob"]), "unknown_roles", "Name(s) not recognized: eve, group/bob");
        Refused(state, new Grant(Permissions.Get, Scope(null), ["ada"]), "duplicate_roles", "Ambiguous names need to be prefixed with 'user/' or 'group/': ada");
        Refused(state, new Grant(Permissions.Get, Scope(""), ["bob"]), "invalid_scope", "a bucket type's name has 1 to 255 bytes");
        var granted = After(state, new Grant(Permissions.Get, Scope("t", "b"), ["group/Ada", "Bob"]));
        Assert.Equal(["user/bob", "group/ada"], granted.Grants.Keys.Select(key => key.Holder.ToString()));
    }

    [Fact]
    public void Revoke_TakesFromTheVeryScope_AndOfWhatIsLeftNothingStays()
    {
        var state = State(
            new AddUser("ada", RoleSettings.None),
            new Grant(Permissions.Get | Permissions.Put, Scope("t"), ["ada"]),
            new Grant(Permissions.Get, Scope("t", "b"), ["ada"]));
        Assert.Same(state.Grants, After(state, new Revoke(Permissions.Get, Scope(null), ["ada"])).Grants);
        state = After(state, new Revoke(Permissions.Get, Scope("t"), ["ada"]));
        Assert.Equal([Permissions.Put, Permissions.Get], state.Grants.Values);
        state = After(state, new Revoke(Permissions.Put | Permissions.Delete, Scope("t"), ["ada"]));
        Assert.Equal(Scope("t", "b"), Assert.Single(state.Grants).Key.Scope);
    }

    [Fact]
    public void Options_AreBounded()
    {
        var many = Enumerable.Range(0, 33).Aggregate(NoOptions, (options, n) => options.Add($"o{n}", "x"));
        Refused(SecurityState.Off, new AddUser("ada", new RoleSettings { Options = many }), "invalid_option", "33 options; at most 32");
        Assert.IsType<SecurityChangeResult.Refused>(SecurityRules.Apply(SecurityState.Off, new AddUser("ada", new RoleSettings { Options = NoOptions.Add("o", new string('x', 1025)) })));
    }

    [Fact]
    public void Counts_AreBounded()
    {
        var full = new SecurityState { Groups = Enumerable.Range(0, SecurityState.MaxGroups).Aggregate(SecurityState.Off.Groups, (groups, n) => groups.Add($"g{n}", new SecurityRole())) };
        Refused(full, new AddGroup("one-more", RoleSettings.None), "too_many", "a cluster has at most 1000 groups");
    }

    [Fact]
    public void AnyChange_SentTwice_HasItsEffectOnce_AndKeepsTheLaws()
    {
        Gen.Select(GenState, GenChange).Sample((state, change) =>
        {
            if (SecurityRules.Apply(state, change) is not SecurityChangeResult.Done once)
            {
                return;
            }

            Assert.Null(DocumentRules.WhyBroken(DocumentSamples.Single() with { Security = once.State }));
            Assert.True(After(once.State, change).HasSameContent(once.State), change.ToString());
        });
    }

    [Fact]
    public void AState_ShowsNoSecrets()
    {
        var add = new AddUser("ada", new RoleSettings { Password = Hashed("secret") });
        var hash = Convert.ToBase64String(Hashed("secret").Hash);
        foreach (var text in new[] { State(add).ToString(), add.ToString(), State(add).Users["ada"].ToString() })
        {
            Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
            Assert.DoesNotContain(hash, text, StringComparison.Ordinal);
        }
    }
}
