using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>A command line that is wrong is refused before anybody is asked, with a text that names what is wrong, and the exit code 2.</summary>
public sealed class BadArgumentTests
{
    private const string Nowhere = "/nowhere/kubeconfig";

    /// <summary>Arguments, and what the error must say.</summary>
    public static TheoryData<string, string> Cases => new()
    {
        { "", "command" },
        { "fetch b k", "'fetch'" },
        { "get", "name what is meant: [TYPE] BUCKET KEY" },
        { "get b", "too few names" },
        { "get a b c d", "too many names" },
        { "get --type t a b c", "too many names; with --type: BUCKET KEY" },
        { "get b k --type ''", "the bucket type is empty" },
        { "get '' k", "the bucket is empty" },
        { "get b ''", "the key is empty" },
        { "get b k --r many", "--r must be a number above 0, one, quorum or all, not `many`" },
        { "get b k --r 0", "--r must be a number above 0" },
        { "get b k --r -1", "--r must be a number above 0" },
        { "get b k --pr 1.5", "--pr must be a number above 0" },
        { "get b k --n-val 0", "--n-val must be a number above 0, not `0`" },
        { "get b k --notfound-ok maybe", "--notfound-ok must be true or false, not `maybe`" },
        { "get b k --rr 1", "there is no option --rr; if it is a value, put -- before it" },
        { "get b k --base64-names", "the bucket `b` is not base64" },
        { "get b k -o yaml", "--output must be text or json, not `yaml`" },
        { "get b k --timeout soon", "--timeout must be a time of at most an hour" },
        { "get b k --timeout 10", "--timeout must be a time of at most an hour" },
        { "get b k --timeout 0s", "--timeout must be a time of at most an hour" },
        { "get b k --timeout 2h", "--timeout must be a time of at most an hour" },
        { "get b k --timeout 99999999999s", "--timeout must be a time of at most an hour" },
        { "get b k --endpoint nowhere", "--endpoint must be HOST:PORT, not `nowhere`" },
        { "get b k --endpoint host:0", "--endpoint must be HOST:PORT" },
        { "get b k --endpoint host:70000", "--endpoint must be HOST:PORT" },
        { "get b k --endpoint http://host:1/", "--endpoint must be HOST:PORT" },
        { "get b k --endpoint a@host:1", "--endpoint must be HOST:PORT" },
        { "get b k --endpoint host:1/path", "--endpoint must be HOST:PORT" },
        { "get b k --endpoint 127.0.0.1:1 --cluster example", "give one kind" },
        { "get b k --cluster ''", "--cluster is empty" },
        { "get b k --admin-endpoint 127.0.0.1:1", "the grpc port is not known from --admin-endpoint: name it with --endpoint" },
        { "put b k", "too few names: [TYPE] BUCKET KEY VALUE, where the VALUE - is standard input" },
        { "put t b k v w", "too many names" },
        { "put b k v --generate-key --type t", "too many names" },
        { "put b v --generate-key --context-from-get", "--context-from-get reads a key, and --generate-key has none" },
        { "put b k v --meta colour", "--meta must be NAME=VALUE, not `colour`" },
        { "put b k v --meta =red", "--meta must be NAME=VALUE, not `=red`" },
        { "put b k v --index email_bin", "--index must be NAME=VALUE" },
        { "put b k v --context ###", "--context is not a context" },
        { "put b k v --context ''", "--context is empty" },
        { "put b k v --context AQ== --context-from-get", "--context and --context-from-get exclude each other" },
        { "put b k v --if-none-match --if-not-modified", "--if-none-match and --if-not-modified exclude each other" },
        { "put b k v --dw some", "--dw must be a number above 0" },
        { "put b k --value", "there is no option --value" },
        { "delete b", "too few names" },
        { "delete b k --context not-base64", "--context is not a context" },
        { "list a b c", "too many names" },
        { "datatype", "command" },
        { "datatype get", "name what is meant: TYPE BUCKET KEY" },
        { "datatype get t b", "too few names: TYPE BUCKET KEY" },
        { "datatype get t b k x", "too many names: TYPE BUCKET KEY" },
        { "datatype get --type t b", "too few names: with --type: BUCKET KEY" },
        { "datatype get '' b k", "the bucket type is empty" },
        { "datatype get t b ''", "the key is empty" },
        { "counter add t b k many", "the amount must be a whole number, not `many`" },
        { "counter add t b k 1.5", "the amount must be a whole number, not `1.5`" },
        { "counter add t b k 1 2", "too many names" },
        { "counter add t b k --context AQL/", "there is no option --context" },
        { "set add t b k", "too few names: TYPE BUCKET KEY MEMBER..." },
        { "set remove t b k a --context ###", "--context is not a context" },
        { "set remove t b k a --context AQL/ --context-from-get", "--context and --context-from-get exclude each other" },
        { "set remove t b k a --w none", "--w must be a number above 0, one, quorum or all, not `none`" },
        { "set add t b k ### --base64-members", "the member `###` is not base64" },
        { "gset remove t b k a", "'remove'" },
        { "hll remove t b k a", "'remove'" },
        { "map update t b k", "too few names: TYPE BUCKET KEY CHANGE..." },
        { "map update t b k paid_flag", "`paid_flag` is no change: FIELD=VALUE, FIELD+=VALUE or FIELD-=VALUE" },
        { "map update t b k =x", "`=x` is no change" },
        { "map update t b k name=Alice", "`name` is no field: NAME_counter, NAME_set, NAME_register, NAME_flag or NAME_map" },
        { "map update t b k _register=Alice", "`_register` is no field" },
        { "map update t b k n_counter=5", "`n_counter=5`: a counter takes += or -=" },
        { "map update t b k n_counter+=x", "`n_counter+=x`: a counter takes a whole number" },
        { "map update t b k s_set=a", "`s_set=a`: a set takes += or -=" },
        { "map update t b k r_register+=a", "`r_register+=a`: a register takes =" },
        { "map update t b k f_flag=yes", "`f_flag=yes`: a flag is =true or =false" },
        { "map update t b k m_map=x", "`m_map=x`: a map's fields are changed one by one" },
        { "map update t b k m_map.=x", "`m_map.` is no field" },
        { "map remove t b k", "too few names: TYPE BUCKET KEY FIELD..." },
        { "map remove t b k s_gset", "`s_gset` is no field" },
        { "status now", "'now'" },
        { "status --endpoint 127.0.0.1:1", "the admin port is not known from --endpoint: name it with --admin-endpoint" },
        { "plan join", "name the peer ports" },
        { "plan join example-3", "`example-3` is not HOST:PORT" },
        { "plan leave", "name the members that leave" },
        { "plan commit", "name the plan that was looked at" },
        { "plan commit a b", "name the plan that was looked at" },
        { "plan undo", "'undo'" },
        { "cluster replace", "name the dead member and the peer port of its replacement: DEAD HOST:PORT" },
        { "cluster replace example-1", "name the dead member and the peer port of its replacement" },
        { "cluster replace '' host:1", "name the dead member and the peer port of its replacement" },
        { "cluster replace example-1 example-3", "`example-3` is not HOST:PORT" },
        { "cluster replace a host:1 b", "name the dead member and the peer port of its replacement" },
        { "cluster rebuild", "name a partition by its number: PARTITION [NODE]" },
        { "cluster rebuild x", "name a partition by its number: PARTITION [NODE]" },
        { "cluster rebuild 1 a b", "name a partition by its number: PARTITION [NODE]" },
        { "cluster force-remove", "name one member: NODE" },
        { "cluster force-remove a b", "name one member: NODE" },
        { "cluster force-remove a --force", "there is no option --force" },
        { "bucket-type", "command" },
        { "bucket-type status", "name the bucket type" },
        { "bucket-type status a b", "too many names" },
        { "bucket-type create t [1]", "the properties are not a JSON object" },
        { "bucket-type create t {n_val", "the properties are not JSON" },
        { "bucket-type create t --prop n_val", "--prop must be NAME=VALUE, not `n_val`" },
        { "bucket-type update t", "name the properties to change" },
        { "get b k --user ''", "--user is empty" },
        { "get b k --password-file x", "--password-file needs --user" },
        { "get b k --user ada --password-file /nowhere/x", "/nowhere/x cannot be used" },
        { "get b k --tls-ca /nowhere/x", "/nowhere/x cannot be used" },
        { "security", "command" },
        { "security forbid", "'forbid'" },
        { "security enable now", "'now'" },
        { "security status now", "too many names" },
        { "security add-user", "name the user or group" },
        { "security add-user ''", "name the user or group" },
        { "security add-user ada password", "options are of the form key=value" },
        { "security add-user ada =x", "options are of the form key=value" },
        { "security add-user ada password=- --admin-endpoint 127.0.0.1:1", "standard input has no password in its first line" },
        { "security add-user ada password=x --admin-endpoint 203.0.113.1:9082", "a password does not go over the network in the open" },
        { "security del-user", "name one user or group" },
        { "security del-user a b", "name one user or group" },
        { "security add-source all 10.0.0.0/8", "name users (or all), a network such as 10.0.0.0/8, and trust, password or certificate" },
        { "security add-source all 10.0.0.0/8 trust x", "options are of the form key=value" },
        { "security del-source all", "name users (or all) and a network such as 10.0.0.0/8" },
        { "security grant", "it takes PERMISSIONS on any|TYPE [BUCKET] to ROLES" },
        { "security grant riak_kv.get on any b to ada", "it takes PERMISSIONS on any|TYPE [BUCKET] to ROLES" },
        { "security grant riak_kv.get on any from ada", "it takes PERMISSIONS on any|TYPE [BUCKET] to ROLES" },
        { "security revoke riak_kv.get on t b to ada", "it takes PERMISSIONS on any|TYPE [BUCKET] from ROLES" },
        { "security print-user", "name whom to show" },
        { "security print-users ada", "too many names" },
        { "security print-grants a b", "too many names" },
        { "admin", "command" },
        { "admin reformat-indexes", "'reformat-indexes'" },
        { "admin status a b", "name one member: [NODE]" },
        { "admin status ''", "name one member: [NODE]" },
        { "admin status --node a", "there is no option --node" },
        { "admin ring-status now", "'now'" },
        { "admin ringready now", "'now'" },
        { "admin member-status now", "'now'" },
        { "admin transfers now", "'now'" },
        { "admin aae-status now", "'now'" },
        { "admin diag disc", "there is no check `disc`; there is members, answers" },
        { "admin diag disk disc", "there is no check `disc`" },
        { "admin diag disc --list", "there is no check `disc`" },
        { "admin diag --level loud", "--level must be notice, warning, error or critical, not `loud`" },
        { "admin diag --level 1", "--level must be notice, warning, error or critical, not `1`" },
        { "admin diag --export", "there is no option --export" },
        { "admin bucket-type", "command" },
        { "admin bucket-type create", "name the bucket type" },
        { "admin bucket-type create carts {\"props\":[1]", "the properties are not JSON" },
        { "admin bucket-type update carts {\"props\":{}}", "name the properties to change" },
        { "admin bucket-type reset carts", "'reset'" },
        { "admin security add-user", "name the user or group" },
        { "admin security grant riak_kv.get to ada", "it takes PERMISSIONS on any|TYPE [BUCKET] to ROLES" },
        { "admin cluster leave", "name the members that leave" },
    };

    /// <summary>What is looked at with a value from standard input, which is read once the cluster is found.</summary>
    [Fact]
    public async Task StandardInput_IsLeftAlone_WhereThereIsNoCluster()
    {
        foreach (var line in new[] { "put b k -", "security add-user ada password=-", "bucket-type create t -" })
        {
            var run = await KvRun.WithAsync([.. line.Split(' '), "--kubeconfig", Nowhere], "x"u8.ToArray());
            Assert.Equal((1, ""), (run.ExitCode, run.Output));
            Assert.Contains("no kubeconfig", run.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>Where there is no cluster: what got as far as looking for one, or asking, would end with another code.</summary>
    [Theory, MemberData(nameof(Cases))]
    public async Task Arguments_ThatAreWrong_AreRefused(string line, string expected)
    {
        var arguments = line.Length == 0 ? [] : line.Split(' ').Select(word => word == "''" ? "" : word).ToArray();
        var namesCluster = line.Contains("endpoint", StringComparison.Ordinal) || line.Contains("--cluster", StringComparison.Ordinal);
        var run = await KvRun.OfAsync(namesCluster || arguments.Length == 0 ? arguments : [.. arguments, "--kubeconfig", Nowhere]);

        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Contains("--help` shows what it takes", run.Error, StringComparison.Ordinal);
    }
}
