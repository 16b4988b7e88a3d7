using System.Net;
using CsCheck;
using Kv.Core.Security;
using Xunit;
using static Kv.Core.Security.SecurityChange;
using static Kv.Core.Tests.Security.SecuritySamples;

namespace Kv.Core.Tests.Security;

public sealed class AuthenticationTests
{
    private static readonly SecurityChange[] AdaAndBob = [new AddUser("ada", new RoleSettings { Password = Hashed("secret") }), new AddUser("bob", RoleSettings.None)];

    private static Authentication By(string user, string peer, params SecurityChange[] sources) => Authentication.Of(State([.. AdaAndBob, .. sources]), user, IPAddress.Parse(peer));

    [Fact]
    public void AnUnknownUser_IsRefused_EvenWhereAllAreTrusted() =>
        Assert.Equal(new Authentication.Refused("unknown_user"), By("eve", "10.0.0.1", Source("all", "0.0.0.0/0", SourceKind.Trust)));

    [Fact]
    public void WithoutASource_NobodyComesIn()
    {
        Assert.Equal(new Authentication.Refused("no_matching_sources"), By("ada", "10.0.0.1"));
        Assert.Equal(new Authentication.Refused("no_matching_sources"), By("ada", "10.0.0.1", Source("bob", "0.0.0.0/0", SourceKind.Trust), Source("all", "11.0.0.0/8", SourceKind.Trust)));
        Assert.Equal(new Authentication.Refused("no_matching_sources"), By("ada", "::1", Source("all", "0.0.0.0/0", SourceKind.Trust)));
    }

    [Fact]
    public void APasswordSource_OfAUserWithoutPassword_IsRefused() =>
        Assert.Equal(new Authentication.Refused("missing_password"), By("bob", "10.0.0.1", Source("all", "10.0.0.0/8", SourceKind.Password)));

    [Fact]
    public void TheLongestPrefix_Decides()
    {
        var sources = new[] { Source("all", "0.0.0.0/0", SourceKind.Certificate), Source("all", "10.0.0.0/8", SourceKind.Password), Source("all", "10.0.0.0/24", SourceKind.Trust) };
        Assert.IsType<Authentication.Trusted>(By("ada", "10.0.0.9", sources));
        Assert.True(Assert.IsType<Authentication.ByPassword>(By("ada", "10.0.1.9", sources)).Expected.Matches("secret"));
        Assert.IsType<Authentication.ByCertificate>(By("ada", "11.0.0.9", sources));
    }

    [Fact]
    public void AUsersOwnSource_GoesBeforeThatOfAll_HoweverShortItsPrefix() =>
        Assert.IsType<Authentication.ByCertificate>(By("ada", "10.0.0.1", Source("all", "10.0.0.1/32", SourceKind.Trust), Source("ada", "0.0.0.0/0", SourceKind.Certificate)));

    [Fact]
    public void AnIPv4Address_OverAnIPv6Socket_IsAnIPv4Address() =>
        Assert.IsType<Authentication.Trusted>(By("ada", "::ffff:10.0.0.1", Source("all", "10.0.0.0/8", SourceKind.Trust)));

    /// <summary>The rule as riak_core_security has it: sort by rank and prefix, take the first that fits.</summary>
    [Fact]
    public void AnyState_DecidesAsTheSortedListWould()
    {
        Gen.Select(GenState, Gen.Int[0, 4], Gen.Int[0, 4], Gen.Bool).Sample((state, user, net, v6) =>
        {
            var (name, peer) = ($"user{user}", IPAddress.Parse(v6 ? $"fd00::{net}" : $"10.{net}.0.1"));
            var expected = state.Sources
                .Where(source => (source.Key.IsForAll || source.Key.User == name) && source.Key.Network.Contains(peer))
                .OrderBy(source => source.Key.IsForAll).ThenByDescending(source => source.Key.Network.Prefix)
                .Select(source => (SourceKind?)source.Value.Kind).FirstOrDefault();
            var decided = Authentication.Of(state, name, peer);
            Assert.Equal(!state.Users.TryGetValue(name, out var role) ? "unknown_user" : expected switch
            {
                null => "no_matching_sources",
                SourceKind.Password when role.Password is null => "missing_password",
                SourceKind.Trust => "Trusted",
                SourceKind.Password => "ByPassword",
                _ => "ByCertificate",
            }, decided is Authentication.Refused refused ? refused.Reason : decided.GetType().Name);
        });
    }
}
