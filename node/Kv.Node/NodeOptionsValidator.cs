using System.Net;
using System.Text;

namespace Kv.Node;

/// <summary>
/// Settings by name → <see cref="NodeOptions"/>, or every problem there is, each a line that names the setting and where it came from.
/// </summary>
public static class NodeOptionsValidator
{
    /// <summary>
    /// Checks <paramref name="settings"/>. On success the problems are empty; otherwise the options are null.
    /// <paramref name="hostName"/> is this machine's: the default of `name`, and of `advertise` where all addresses are bound.
    /// </summary>
    public static (NodeOptions? Options, IReadOnlyList<string> Problems) Validate(NodeSettings settings, string hostName)
    {
        var problems = new List<string>(settings.Problems);
        var options = new NodeOptions { Name = hostName, DataDirectory = "" };
        foreach (var setting in NodeSettingNames.All)
        {
            if (!settings.Values.TryGetValue(setting.Name, out var given))
            {
                continue;
            }

            (options, var problem) = setting.Apply(options, given.Text);
            if (problem is not null)
            {
                problems.Add($"{given.Source}: {setting.Name} {problem}, not `{Shown(given.Text)}`");
            }
        }

        if (!settings.Values.ContainsKey("data"))
        {
            problems.Add("data is required: the directory for everything durable (--data DIRECTORY or KV_DATA)");
        }

        if (!settings.Values.ContainsKey("advertise"))
        {
            options = options with { AdvertiseHost = IsEveryAddress(options.ListenHost) ? hostName : options.ListenHost };
        }

        AddTlsProblems(options, problems);
        AddPortClashes(options, problems);
        return problems.Count == 0 ? (options, problems) : (null, problems);
    }

    /// <summary>The text of `--help`.</summary>
    public static string Help()
    {
        var text = new StringBuilder();
        text.AppendLine("kv-node: a node of a Kv cluster.").AppendLine();
        text.AppendLine("usage: kv-node --data DIRECTORY [--name NAME] [--SETTING VALUE]... [--config FILE]").AppendLine();
        text.AppendLine("Each setting can also be KV_SETTING in the environment (KV_PEER_PORT) or a line of FILE (`peer-port = 9081`, or a JSON object).");
        text.AppendLine("The command line wins over the environment, and that over the file.").AppendLine();
        foreach (var setting in NodeSettingNames.All)
        {
            text.AppendLine($"  --{setting.Name} {setting.Placeholder}").AppendLine($"        {setting.Help} (default: {setting.Default})");
        }

        return text.ToString();
    }

    private static void AddPortClashes(NodeOptions options, List<string> problems)
    {
        var used = new Dictionary<int, string>();
        foreach (var (name, port) in new[]
                 {
                     ("grpc-port", options.GrpcPort), ("peer-port", options.PeerPort), ("admin-port", options.AdminPort),
                     ("riak-pb-port", options.RiakPbPort), ("riak-http-port", options.RiakHttpPort), ("metrics-port", options.MetricsPort),
                 })
        {
            if (port.IsOff || port.Number == 0)
            {
                continue;
            }

            if (!used.TryAdd(port.Number, name))
            {
                problems.Add($"{name} and {used[port.Number]} are both {port.Number}");
            }
        }
    }

    private static void AddTlsProblems(NodeOptions options, List<string> problems)
    {
        if (options.TlsCertificateFile is null != options.TlsKeyFile is null)
        {
            problems.Add("tls-certificate and tls-key go together: the one without the other is of no use");
        }
        else if (options.TlsCertificateFile is null && (options.TlsClientAuthoritiesFile ?? options.TlsPeerAuthoritiesFile) is not null)
        {
            problems.Add("tls-client-ca and tls-peer-ca need tls-certificate and tls-key: certificates are shown over TLS alone");
        }

        if (options.PeerTls != PeerTls.Off && (options.TlsCertificateFile is null || options.TlsPeerAuthoritiesFile is null))
        {
            problems.Add("peer-tls needs tls-certificate, tls-key and tls-peer-ca: nodes show each other who they are");
        }
    }

    private static bool IsEveryAddress(string host) =>
        IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
