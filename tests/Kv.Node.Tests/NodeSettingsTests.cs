using Xunit;

namespace Kv.Node.Tests;

public sealed class NodeSettingsTests
{
    [Fact]
    public void Settings_OfEverySource_AreTakenByRank()
    {
        var environment = new Dictionary<string, string> { ["KV_CONFIG"] = "node.conf", ["KV_ZONE"] = "environment", ["KV_STORES"] = "20" };
        var (options, problems) = Validate(
            ["--data", "/data", "--stores=30"], environment, "# a comment\nzone = file\nname = file\n stores=10\n\n");

        Assert.Empty(problems);
        Assert.Equal(("/data", "environment", "file", 30), (options!.DataDirectory, options.Zone, options.Name, options.StoresPerNode));
    }

    [Fact]
    public void Defaults_AreThoseOfTheTable()
    {
        var (options, _) = Validate(["--data", "/data"]);

        Assert.Equal("this-host", options!.Name);
        Assert.Equal("127.0.0.1", options.AdvertiseHost);
        Assert.Equal(["9080", "9081", "9082", "8087", "8098", "9464"], new[]
        {
            options.GrpcPort.ToString(), options.PeerPort.ToString(), options.AdminPort.ToString(), options.RiakPbPort.ToString(), options.RiakHttpPort.ToString(), options.MetricsPort.ToString(),
        });
        foreach (var setting in NodeSettingNames.All.Where(setting => int.TryParse(setting.Default, out _)))
        {
            Assert.Equal(options, setting.Apply(options, setting.Default).Options);
        }
    }

    [Fact]
    public void Advertise_OfANodeThatListensEverywhere_IsTheHostsName() =>
        Assert.Equal("this-host", Validate(["--data", "/data", "--listen", "0.0.0.0"]).Options!.AdvertiseHost);

    [Fact]
    public void File_CanBeJson()
    {
        var (options, problems) = Validate(["--data", "/data", "--config", "x"], [], """{"stores": 12, "memory-limit": "2Gi"}""");
        Assert.Empty(problems);
        Assert.Equal((12, 2L << 30), (options!.StoresPerNode, options.MemoryLimitBytes));
    }

    [Theory]
    [InlineData("--peer-port 99999", "peer-port must be 1 to 65535")]
    [InlineData("--peer-port off", "peer-port must be 1 to 65535")]
    [InlineData("--grpc-port x", "grpc-port must be")]
    [InlineData("--grpc-port 9081", "peer-port and grpc-port are both 9081")]
    [InlineData("--name a/b", "name must be")]
    [InlineData("--zone a b", "`b` is not a setting")]
    [InlineData("--listen nowhere", "listen must be an IP address")]
    [InlineData("--advertise 0.0.0.0", "advertise must be")]
    [InlineData("--advertise host:80", "advertise must be")]
    [InlineData("--memory-limit 1Mi", "memory-limit must be at least 128Mi")]
    [InlineData("--memory-limit lots", "memory-limit must be a number of bytes")]
    [InlineData("--memory-limit 99999999999Gi", "memory-limit must be a number of bytes")]
    [InlineData("--stores 0", "stores must be 1 to 1024")]
    [InlineData("--log-format xml", "log-format must be")]
    [InlineData("--log-level loud", "log-level must be")]
    [InlineData("--max-object-size 51Mi", "max-object-size must be")]
    [InlineData("--tls-certificate c.pem", "tls-certificate and tls-key go together")]
    [InlineData("--tls-key c.key", "tls-certificate and tls-key go together")]
    [InlineData("--tls-client-ca ca.pem", "tls-client-ca and tls-peer-ca need tls-certificate and tls-key")]
    [InlineData("--tls-certificate=", "tls-certificate must name a file")]
    [InlineData("--peer-tls maybe", "peer-tls must be `off`, `on` or `required`")]
    [InlineData("--peer-tls required", "peer-tls needs tls-certificate, tls-key and tls-peer-ca")]
    [InlineData("--tls-certificate c --tls-key k --peer-tls on", "peer-tls needs tls-certificate, tls-key and tls-peer-ca")]
    [InlineData("--disabled-jobs list_keys,fold", "disabled-jobs must be some of list_buckets")]
    [InlineData("--unknown 3", "--unknown is not a setting")]
    [InlineData("--stores", "--stores needs a value")]
    [InlineData("--stores 3 --stores 4", "--stores is given twice")]
    [InlineData("stray", "`stray` is not a setting")]
    public void CommandLine_ThatWillNotDo_SaysWhy(string line, string problem)
    {
        var (options, problems) = Validate([.. line.Split(' '), "--data", "/data"]);
        Assert.Null(options);
        Assert.Contains(problems, text => text.Contains(problem, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("stores 3", "x line 1: `stores 3` is not `setting = value`")]
    [InlineData("\nshape = round", "x line 2: shape is not a setting")]
    [InlineData("stores = 3\nstores = 4", "x line 2: stores is given twice")]
    [InlineData("{\"stores\": ", "x is not JSON")]
    [InlineData("{\"stores\": [1]}", "x: stores must be a text or a number")]
    public void File_ThatWillNotDo_SaysWhy(string file, string problem) =>
        Assert.Contains(Validate(["--data", "/data", "--config", "x"], [], file).Problems, text => text.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Problems_AreToldTogether()
    {
        var (_, problems) = Validate(["--peer-port", "x", "--stores", "x", "--foo", "x"]);
        Assert.Equal(4, problems.Count);
        Assert.Contains(problems, text => text.StartsWith("data is required", StringComparison.Ordinal));
    }

    [Fact]
    public void File_ThatIsNotThere_IsAProblem()
    {
        var settings = NodeSettings.Read(["--config", "gone"], new Dictionary<string, string>(), _ => throw new FileNotFoundException("no such file"));
        Assert.Contains(settings.Problems, text => text.Contains("gone cannot be read", StringComparison.Ordinal));
    }

    /// <summary>A misspelt setting of a pod comes as a variable; so does what has nothing to do with settings.</summary>
    [Fact]
    public void Variables_ThatAreNoSettings_AreTold_AndHoldNothingUp()
    {
        var environment = new Dictionary<string, string>
        {
            ["KV_STORES"] = "20",
            ["KV_CONFIG"] = "",
            ["KV_HANDOF_CONCURRENCY"] = "4",
            ["KV_SERVICE_HOST"] = "10.0.0.1",
            ["KVM"] = "1",
            ["PATH"] = "/bin",
            ["kv_stores"] = "3",
        };
        var settings = NodeSettings.Read(["--data", "/data"], environment, _ => "");
        Assert.Equal(["KV_HANDOF_CONCURRENCY", "KV_SERVICE_HOST"], settings.UnknownVariables);
        Assert.Empty(NodeOptionsValidator.Validate(settings, "this-host").Problems);
    }

    [Fact]
    public void Help_NamesEverySetting()
    {
        var help = NodeOptionsValidator.Help();
        Assert.All(NodeSettingNames.All, setting => Assert.Contains("--" + setting.Name + " ", help, StringComparison.Ordinal));
    }

    [Fact]
    public void Documentation_NamesEverySetting()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "node.md"));
        Assert.All(NodeSettingNames.All, setting => Assert.Contains($"| `{setting.Name}` |", page, StringComparison.Ordinal));
    }

    private static (NodeOptions? Options, IReadOnlyList<string> Problems) Validate(
        string[] arguments, Dictionary<string, string>? environment = null, string file = "") =>
        NodeOptionsValidator.Validate(NodeSettings.Read(arguments, environment ?? [], _ => file), "this-host");
}
