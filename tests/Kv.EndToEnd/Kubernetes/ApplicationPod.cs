using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// A pod as an application has one, in the namespace of the Clusters that it uses and no part of any: nodes' own images hold no shell and no curl. The image is what <c>KV_CURL_IMAGE</c> names; else on a
/// cluster of <c>tests/kube</c> a node's, which stands on a Debian with both there; else curl's own.
/// </summary>
internal sealed class ApplicationPod
{
    private const string Name = "application";
    private const string CurlImage = "docker.io/curlimages/curl:8.11.1";

    private readonly KubernetesCluster cluster;
    private readonly string space;

    private ApplicationPod(KubernetesCluster cluster, string space) => (this.cluster, this.space) = (cluster, space);

    /// <summary>Starts it, as unprivileged as an application should be, and waits for it. It goes with its namespace.</summary>
    public static async Task<ApplicationPod> StartAsync(KubernetesCluster cluster, string space)
    {
        var image = Environment.GetEnvironmentVariable("KV_CURL_IMAGE") ?? (cluster.IsStartedHere ? KubernetesCluster.NodeImage : CurlImage);
        var manifest = $$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{Name}} }
            spec:
              automountServiceAccountToken: false
              terminationGracePeriodSeconds: 0
              securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: RuntimeDefault } }
              containers:
              - name: {{Name}}
                image: {{image}}
                imagePullPolicy: IfNotPresent
                command: [sleep, "86400"]
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
                resources: { requests: { cpu: 10m, memory: 16Mi } }

            """;
        var made = await cluster.TryKubectlAsync(manifest, "-n", space, "apply", "-f", "-");
        Assert.True(made.Succeeded, made.ToString());
        var ready = await cluster.TryKubectlAsync(null, "-n", space, "wait", "--for=condition=Ready", $"pod/{Name}", "--timeout=60s");
        Assert.True(ready.Succeeded, $"{ready}\nthe image {image} has to hold sh, sleep and curl: KV_CURL_IMAGE names another");
        return new(cluster, space);
    }

    /// <summary>Runs lines of shell in it, and gives what they print.</summary>
    public Task<string> RunAsync(string script) => cluster.KubectlAsync("-n", space, "exec", Name, "--", "sh", "-c", script);
}
