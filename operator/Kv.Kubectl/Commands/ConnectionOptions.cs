using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Kv.Kubectl.Connections;

namespace Kv.Kubectl.Commands;

/// <summary>The options that every command has: which cluster, how long to wait, and the form of what is printed.</summary>
internal sealed class ConnectionOptions
{
    private const string Text = "text";
    private const string Json = "json";
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromHours(1);

    private readonly Option<string?> endpoint = Address("--endpoint", "A node's grpc port, for data.");
    private readonly Option<string?> adminEndpoint = Address("--admin-endpoint", "The node's admin port, where it cannot be told from --endpoint.");
    private readonly Option<string?> kubeconfig = Named("--kubeconfig", "PATH", "Use this kubeconfig; else $KUBECONFIG, else ~/.kube/config.");
    private readonly Option<string?> kubeContext = Named("--kube-context", "NAME", "A context of the kubeconfig; else its current one.");
    private readonly Option<string?> kubeNamespace = Named("--namespace", "NAME", "The Cluster's namespace; else the context's.", "-n");
    private readonly Option<string?> cluster = Named("--cluster", "NAME", "The Cluster; else the only one of the namespace.", "-c");
    private readonly Option<string?> user = Named("--user", "NAME", "Who asks for data, where the cluster has security on; its password is in $KV_PASSWORD, or in the first line of --password-file. Goes by TLS.");
    private readonly Option<string?> passwordFile = Named("--password-file", "PATH", "The user's password.");
    private readonly Option<string?> authorities = Named("--tls-ca", "PATH", "PEM: the authorities of the nodes' certificates, to speak by TLS alone; with --user alone, this machine's.");
    private readonly Option<TimeSpan?> timeout;
    private readonly Option<string?> output;

    public ConnectionOptions()
    {
        timeout = new Option<TimeSpan?>("--timeout")
        {
            HelpName = "DURATION",
            Description = "How long the whole may take: 500ms, 10s, 2m. [default: 30s]",
            Recursive = true,
            CustomParser = ParseTimeout,
        };
        output = new Option<string?>("--output", "-o")
        {
            HelpName = "text|json",
            Description = "Text for people or JSON for programs. [default: text]",
            Recursive = true,
        };
        output.Validators.Add(result => Check(result, value => value is Text or Json ? null : $"--output must be text or json, not `{value}`"));
    }

    public void AddTo(RootCommand root)
    {
        foreach (var option in new Option[] { endpoint, adminEndpoint, cluster, kubeNamespace, kubeContext, kubeconfig, user, passwordFile, authorities, timeout, output })
        {
            root.Add(option);
        }
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(output) == Json;

    public ConnectionSettings Read(ParseResult parsed) => new()
    {
        Endpoint = parsed.GetValue(endpoint),
        AdminEndpoint = parsed.GetValue(adminEndpoint),
        Kubeconfig = parsed.GetValue(kubeconfig),
        KubeContext = parsed.GetValue(kubeContext),
        Namespace = parsed.GetValue(kubeNamespace),
        Cluster = parsed.GetValue(cluster),
        Security = DataSecurity.Of(parsed.GetValue(user), parsed.GetValue(passwordFile), parsed.GetValue(authorities)),
        Timeout = parsed.GetValue(timeout) ?? DefaultTimeout,
    };

    private static Option<string?> Address(string name, string description)
    {
        var option = Named(name, "HOST:PORT", description);
        option.Validators.Add(result => Check(result, value => HostAndPort.IsValid(value) ? null : $"{name} must be HOST:PORT, not `{value}`"));
        return option;
    }

    private static Option<string?> Named(string name, string helpName, string description, params string[] aliases)
    {
        var option = new Option<string?>(name, aliases) { HelpName = helpName, Description = description, Recursive = true };
        option.Validators.Add(result => Check(result, value => value.Length > 0 ? null : $"{name} is empty"));
        return option;
    }

    private static void Check(OptionResult result, Func<string, string?> problemOf)
    {
        if (result.Tokens is [{ Value: var value }] && problemOf(value) is { } problem)
        {
            result.AddError(problem);
        }
    }

    private static TimeSpan? ParseTimeout(ArgumentResult result)
    {
        var text = result.Tokens is [{ Value: var value }] ? value : "";
        var unitAt = text.TakeWhile(char.IsAsciiDigit).Count();
        var milliseconds = text[unitAt..] switch { "ms" => 1, "s" => 1_000, "m" => 60_000, _ => 0 };
        if (milliseconds > 0 && int.TryParse(text.AsSpan(0, unitAt), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && TimeSpan.FromMilliseconds((double)number * milliseconds) is var time && time > TimeSpan.Zero && time <= MaxTimeout)
        {
            return time;
        }

        result.AddError($"--timeout must be a time of at most an hour, such as 500ms, 10s or 2m, not `{text}`");
        return null;
    }
}
