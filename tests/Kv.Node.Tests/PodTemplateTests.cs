using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>
/// A node in the pod that the operator makes where a Cluster says nothing but its name: what the pod's environment tells it makes sense to it, and fits the pod's limits. The pod is that
/// of the operator's golden file.
/// </summary>
public sealed partial class PodTemplateTests
{
    private static readonly string Pod = Read("tests/Kv.Operator.Tests/Manifests/Golden/plain.yaml").Split("kind: StatefulSet")[1];

    [Fact]
    public void Environment_OfADefaultPod_IsUnderstoodInFull()
    {
        var environment = EnvironmentOf(Pod);
        var known = NodeSettingNames.All.Select(setting => setting.EnvironmentName).ToHashSet(StringComparer.Ordinal);
        Assert.All(environment.Keys, name => Assert.Contains(name, known));

        var options = OptionsOf(environment);
        Assert.Equal(("example-0", "example-0.example-headless.default.svc"), (options.Name, options.AdvertiseHost));
        Assert.Contains($"mountPath: {options.DataDirectory}\n", Pod, StringComparison.Ordinal);
        var ports = ContainerPort().Matches(Pod).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal(
            ("grpc " + ports["grpc"], "peer " + ports["peer"], "admin " + ports["admin"], "metrics " + ports["metrics"], "riak-pb " + ports["riak-pb"], "riak-http " + ports["riak-http"]),
            ($"grpc {options.GrpcPort}", $"peer {options.PeerPort}", $"admin {options.AdminPort}", $"metrics {options.MetricsPort}", $"riak-pb {options.RiakPbPort}", $"riak-http {options.RiakHttpPort}"));
    }

    [Fact]
    public void Memory_OfADefaultPod_HoldsAllPartitionsOfADefaultRing()
    {
        var options = OptionsOf(EnvironmentOf(Pod));
        Assert.Equal(Bytes(LimitOf(Pod)), options.MemoryLimitBytes);
        Assert.Equal(LimitOf(Pod), RequestOf(Pod));

        // One node may come to hold every partition: those that stood in for all others, or the only one.
        var budget = NodeStorages.Budget(options);
        Assert.True(budget.Fits, $"{budget} needs {budget.NeededLimitBytes}");
        Assert.Equal(64, budget.Stores);
    }

    [Fact]
    public void End_OfADefaultPod_HasTimeForTheHookAndTheStop()
    {
        var drain = Number("drain.budget=([0-9]+)");
        Assert.InRange(drain, 1, DrainHook.MaxBudgetSeconds);
        var stop = OptionsOf(EnvironmentOf(Pod)).StopTimeout + TimeSpan.FromSeconds(5);
        Assert.True(drain + stop.TotalSeconds <= Number("terminationGracePeriodSeconds: ([0-9]+)"), "the pod is killed before the node has stopped");
    }

    private static NodeOptions OptionsOf(Dictionary<string, string> environment)
    {
        var (options, problems) = NodeOptionsValidator.Validate(NodeSettings.Read([], environment, _ => ""), "this-host");
        Assert.Empty(problems);
        return options!;
    }

    /// <summary>As the kubelet makes it.</summary>
    private static Dictionary<string, string> EnvironmentOf(string pod)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match variable in Variable().Matches(pod))
        {
            var (name, text) = (variable.Groups[1].Value, variable.Groups[2].Value);
            variables[name] = text.Contains("fieldPath: metadata.name", StringComparison.Ordinal) ? "example-0"
                : text.Contains("resource: limits.memory", StringComparison.Ordinal) ? Bytes(LimitOf(pod)).ToString(CultureInfo.InvariantCulture)
                : Value().Match(text).Groups[1].Value.Replace("$(KV_NAME)", "example-0", StringComparison.Ordinal);
        }

        Assert.True(variables.Count > 5, "the golden file has no environment any more");
        return variables;
    }

    private static string LimitOf(string pod) => Regex.Match(pod, "limits:\n +memory: (.+)").Groups[1].Value;

    private static string RequestOf(string pod) => Regex.Match(pod, "requests:\n +memory: (.+)").Groups[1].Value;

    private static long Bytes(string quantity) => ByteSize.TryParse(quantity, out var bytes) ? bytes : throw new FormatException(quantity);

    private static int Number(string pattern) => int.Parse(Regex.Match(Pod, pattern).Groups[1].Value, CultureInfo.InvariantCulture);

    private static string Read(string file)
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Kv.Operator.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("these tests run from inside the repository");
        }

        return File.ReadAllText(Path.Combine(directory, file));
    }

    [GeneratedRegex("        - name: (KV_[A-Z_]+)\n((?:          .+\n)+)")]
    private static partial Regex Variable();

    [GeneratedRegex("value: \"?([^\"\n]*)")]
    private static partial Regex Value();

    [GeneratedRegex("- name: ([a-z-]+)\n +containerPort: ([0-9]+)")]
    private static partial Regex ContainerPort();
}
