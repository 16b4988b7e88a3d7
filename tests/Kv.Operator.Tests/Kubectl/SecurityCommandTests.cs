using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary><c>kv security</c>: what it asks of a node, and what a person sees.</summary>
public sealed class SecurityCommandTests
{
    private static Security Sample => new()
    {
        Enabled = true,
        Users =
        {
            new SecurityRole { Name = "ada", HasPassword = true, Groups = { "staff" }, Options = { ["note"] = "first" } },
            new SecurityRole { Name = "bob" },
        },
        Groups = { new SecurityRole { Name = "everyone" }, new SecurityRole { Name = "staff", Groups = { "everyone" } } },
        Sources =
        {
            new SecuritySource { User = "ada", Network = "10.0.0.0/8", Kind = "password" },
            new SecuritySource { User = "all", Network = "127.0.0.1/32", Kind = "trust" },
        },
        Grants =
        {
            new SecurityGrant { Role = "all", BucketType = "default", Permissions = { "riak_kv.get" } },
            new SecurityGrant { Role = "user/bob", Permissions = { "riak_kv.get", "riak_kv.put" } },
            new SecurityGrant { Role = "group/everyone", BucketType = "carts", Bucket = ByteString.CopyFromUtf8("eu"), Permissions = { "riak_kv.index" } },
        },
    };

    /// <summary>Arguments, and the request as JSON.</summary>
    public static TheoryData<string, string> Changes => new()
    {
        { "enable", """{ "enable": true }""" },
        { "disable", """{ "enable": false }""" },
        { "add-user Ada password=se=cret groups=a,b note=x", """{ "addUser": { "name": "Ada", "password": "se=cret", "groups": { "names": [ "a", "b" ] }, "options": { "note": "x" } } }""" },
        { "add-user ada password=-", """{ "addUser": { "name": "ada", "password": "from input" } }""" },
        { "alter-user ada groups=", """{ "alterUser": { "name": "ada", "groups": { } } }""" },
        { "del-user ada", """{ "deleteUser": "ada" }""" },
        { "add-group staff", """{ "addGroup": { "name": "staff" } }""" },
        { "alter-group staff groups=all-of-us", """{ "alterGroup": { "name": "staff", "groups": { "names": [ "all-of-us" ] } } }""" },
        { "del-group staff", """{ "deleteGroup": "staff" }""" },
        { "add-source all 10.0.0.0/8 password", """{ "addSource": { "users": [ "all" ], "network": "10.0.0.0/8", "kind": "password" } }""" },
        { "del-source ada,bob 10.0.0.0/8", """{ "deleteSource": { "users": [ "ada", "bob" ], "network": "10.0.0.0/8" } }""" },
        { "grant riak_kv.get,riak_kv.put on any to ada,bob", """{ "grant": { "permissions": [ "riak_kv.get", "riak_kv.put" ], "roles": [ "ada", "bob" ] } }""" },
        { "grant riak_kv.get on carts to ada", """{ "grant": { "permissions": [ "riak_kv.get" ], "bucketType": "carts", "roles": [ "ada" ] } }""" },
        { "revoke riak_kv.get on carts eu from all", """{ "revoke": { "permissions": [ "riak_kv.get" ], "bucketType": "carts", "bucket": "ZXU=", "roles": [ "all" ] } }""" },
    };

    [Theory, MemberData(nameof(Changes))]
    public async Task AChange_IsWhatTheNodeIsAsked(string line, string expected)
    {
        await using var node = await StubNode.StartAsync(_ => Sample);
        var run = await KvRun.WithAsync(["security", .. line.Split(' '), "--admin-endpoint", node.Address], input: Encoding.UTF8.GetBytes("from input\nand more"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(Assert.Single(node.Requests).ToString()!)!.ToJsonString());
        Assert.DoesNotContain("cret", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_IsRiaksWord() => Assert.Equal("Enabled\n", await OutputAsync("status"));

    [Fact]
    public async Task Users_AreShownWithoutTheirPasswords() => Assert.Equal(
        """
        USERNAME   MEMBER OF   PASSWORD   OPTIONS
        ada        staff       yes        note=first
        bob        -           -          -

        """,
        await OutputAsync("print-users"));

    [Fact]
    public async Task Sources_AreShownInTheirOrder() => Assert.Equal(
        """
        USERS   CIDR           SOURCE     OPTIONS
        ada     10.0.0.0/8     password   -
        all     127.0.0.1/32   trust      -

        """,
        await OutputAsync("print-sources"));

    [Fact]
    public async Task GrantsOfAUser_AreAllThatHoldForIt() => Assert.Equal(
        """
        ROLE             TYPE      BUCKET   GRANTS
        all              default   *        riak_kv.get
        group/everyone   carts     eu       riak_kv.index

        """,
        await OutputAsync("print-grants", "Ada"));

    [Fact]
    public async Task AGroup_IsShownWithItsGrants() => Assert.Equal(
        """
        GROUP   MEMBER OF   OPTIONS
        staff   everyone    -

        ROLE             TYPE      BUCKET   GRANTS
        all              default   *        riak_kv.get
        group/everyone   carts     eu       riak_kv.index

        """,
        await OutputAsync("print-group", "staff"));

    [Fact]
    public async Task AnUnknownName_IsNotFound()
    {
        await using var node = await StubNode.StartAsync(_ => Sample);
        foreach (var (verb, text) in new[] { ("print-user", "User not recognized: eve"), ("print-group", "Group not recognized: eve"), ("print-grants", "Name not recognized: eve") })
        {
            var run = await KvRun.OfAsync("security", verb, "eve", "--admin-endpoint", node.Address);
            Assert.Equal((3, $"kv: {text}\n"), (run.ExitCode, run.Error));
        }
    }

    [Fact]
    public async Task Json_HasAllOfIt()
    {
        var json = JsonNode.Parse(await OutputAsync("print-grants", "-o", "json"))!;
        Assert.Equal(("True", 2, 2, 2, 3), (json["enabled"]!.GetValue<bool>().ToString(), json["users"]!.AsArray().Count, json["groups"]!.AsArray().Count, json["sources"]!.AsArray().Count, json["grants"]!.AsArray().Count));
        Assert.Equal("carts", json["grants"]![2]!["bucketType"]!.GetValue<string>());
    }

    private static async Task<string> OutputAsync(params string[] arguments)
    {
        await using var node = await StubNode.StartAsync(_ => Sample);
        var run = await KvRun.OfAsync(["security", .. arguments, "--admin-endpoint", node.Address]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Output;
    }
}
