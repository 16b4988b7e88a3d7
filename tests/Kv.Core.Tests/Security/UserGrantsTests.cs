using CsCheck;
using Kv.Core.Security;
using Xunit;
using static Kv.Core.Security.SecurityChange;
using static Kv.Core.Tests.Security.SecuritySamples;

namespace Kv.Core.Tests.Security;

public sealed class UserGrantsTests
{
    [Fact]
    public void WhatIsNotGranted_IsDenied_InRiaksWords()
    {
        var grants = UserGrants.Of(State(new AddUser("ada", RoleSettings.None)), "ada");
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.put' on fruits/apples", grants.WhyDenied(Permissions.Put, Scope("fruits", "apples")));
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.list_buckets' on fruits", grants.WhyDenied(Permissions.ListBuckets, Scope("fruits")));
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.mapreduce' on any", grants.WhyDenied(Permissions.MapReduce, Scope(null)));
    }

    [Fact]
    public void AGrant_HoldsForItsScope_AndWhatIsInIt()
    {
        var state = State(
            new AddUser("ada", RoleSettings.None),
            new Grant(Permissions.Get, Scope(null), ["ada"]),
            new Grant(Permissions.Put, Scope("fruits"), ["ada"]),
            new Grant(Permissions.Delete, Scope("fruits", "apples"), ["ada"]));
        var grants = UserGrants.Of(state, "ada");
        Assert.Equal(Permissions.Get | Permissions.Put | Permissions.Delete, grants.On(Scope("fruits", "apples")));
        Assert.Equal(Permissions.Get | Permissions.Put, grants.On(Scope("fruits", "pears")));
        Assert.Equal(Permissions.Get | Permissions.Put, grants.On(Scope("fruits")));
        Assert.Equal(Permissions.Get, grants.On(Scope("default", "apples")));
        Assert.Equal(Permissions.Get, grants.On(Scope(null)));
        Assert.Equal(
            "Permission denied: User 'ada' does not have 'riak_core.get_bucket' on fruits", grants.WhyDenied(Permissions.Get | Permissions.GetBucket, Scope("fruits")));
    }

    [Fact]
    public void OnAnything_IsDenied_WhatIsGrantedNowhere()
    {
        var state = State(
            new AddUser("ada", RoleSettings.None),
            new Grant(Permissions.Get, Scope(null), ["ada"]),
            new Grant(Permissions.Put, Scope("fruits"), ["ada"]),
            new Grant(Permissions.Delete, Scope("fruits", "apples"), ["ada"]));
        var grants = UserGrants.Of(state, "ada");
        Assert.All(new[] { Permissions.Get, Permissions.Put, Permissions.Delete, Permissions.Get | Permissions.Put }, held => Assert.Null(grants.WhyDeniedEverywhere(held)));
        Assert.Equal("Permission denied: User 'ada' does not have 'riak_kv.mapreduce' on any", grants.WhyDeniedEverywhere(Permissions.MapReduce));
        Assert.Null(UserGrants.Of(State(new AddUser("bob", RoleSettings.None), new Grant(Permissions.Get, Scope(null), ["bob"])), "bob").WhyDeniedEverywhere(Permissions.Get));
        Assert.NotNull(UserGrants.Of(state, "nobody").WhyDeniedEverywhere(Permissions.Get));
    }

    [Fact]
    public void GroupsOfGroups_AndAll_CountToo_InCirclesAsWell()
    {
        var state = State(
            new AddGroup("outer", RoleSettings.None),
            new AddGroup("inner", In("outer")),
            new AlterGroup("outer", In("inner")),
            new AddUser("ada", In("inner")),
            new Grant(Permissions.Get, Scope(null), ["outer"]),
            new Grant(Permissions.Put, Scope(null), ["inner"]),
            new Grant(Permissions.Index, Scope(null), ["all"]));
        Assert.Equal(Permissions.Get | Permissions.Put | Permissions.Index, UserGrants.Of(state, "ada").On(Scope("t", "b")));
    }

    [Fact]
    public void AUserThatIsGone_HasNothing_NotEvenWhatAllHave()
    {
        var state = State(new AddUser("ada", RoleSettings.None), new Grant(Permissions.Get, Scope(null), ["all"]), new DeleteUser("ada"));
        Assert.Equal(Permissions.None, UserGrants.Of(state, "ada").On(Scope("t", "b")));
    }

    [Fact]
    public void AGroup_IsNoUserOfThatName()
    {
        var state = State(new AddUser("ada", RoleSettings.None), new AddGroup("ada", RoleSettings.None), new Grant(Permissions.Get, Scope(null), ["group/ada"]));
        Assert.Equal(Permissions.None, UserGrants.Of(state, "ada").On(Scope("t", "b")));
    }

    [Fact]
    public void AGrantMore_NeverTakesAway_AndARevokeNeverGives()
    {
        Gen.Select(GenState, GenChange, Gen.Int[0, 4], Gen.Int[1, 2], Gen.Int[1, 2]).Sample((state, change, user, type, bucket) =>
        {
            if (SecurityRules.Apply(state, change) is not SecurityChangeResult.Done done)
            {
                return;
            }

            var scope = Scope($"type{type}", $"bucket{bucket}");
            var (before, after) = (UserGrants.Of(state, $"user{user}").On(scope), UserGrants.Of(done.State, $"user{user}").On(scope));
            switch (change)
            {
                case Grant:
                    Assert.Equal(before, before & after);
                    break;
                case Revoke or DeleteGroup or DeleteUser:
                    Assert.Equal(after, before & after);
                    break;
                case Enable or AddSource or DeleteSource:
                    Assert.Equal(before, after);
                    break;
            }
        });
    }
}
