using System.CommandLine;
using System.Reflection;
using k8s;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.NodeAdmin;
using Kv.Operator.Runtime;
using OpenTelemetry.Metrics;

namespace Kv.Operator.Commands;

/// <summary><c>kv-operator run</c>: the operator on Kubernetes. The only place that composes it.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "Without it: the pod's own account, else KUBECONFIG or ~/.kube/config." };
        var command = new Command("run", "Run the operator against a Kubernetes API server. Settings come from KV_OPERATOR_… in the environment.") { kubeconfig };
        command.SetAction(parsed => RunAsync(parsed.GetValue(kubeconfig)));
        return command;
    }

    private static async Task<int> RunAsync(string? kubeconfig)
    {
        try
        {
            var version = typeof(RunCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "latest";
            var options = OperatorOptions.Read(Environment.GetEnvironmentVariable, version);
            return await RunAsync(options, Configuration(kubeconfig), version);
        }
        catch (Exception e) when (e is WorldException or k8s.Exceptions.KubeConfigException or IOException)
        {
            await Console.Error.WriteLineAsync($"kv-operator: {e.Message}");
            return 1;
        }
    }

    private static KubernetesClientConfiguration Configuration(string? kubeconfig) =>
        kubeconfig is not null ? KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig)
        : KubernetesClientConfiguration.IsInCluster() ? KubernetesClientConfiguration.InClusterConfig()
        : KubernetesClientConfiguration.BuildDefaultConfig();

    private static async Task<int> RunAsync(OperatorOptions options, KubernetesClientConfiguration configuration, string version)
    {
        using var metrics = new OperatorMetrics();
        await using var app = Web(options);
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        using var client = new k8s.Kubernetes(configuration);
        var api = new KubernetesApi(client, metrics);
        using var admin = new GrpcNodeAdmin();
        var host = Compose(options, api, admin, metrics, loggers, version);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(app.Lifetime.ApplicationStopping);
        await app.StartAsync(stop.Token);
        var code = await host.RunAsync(stop.Token);
        await app.StopAsync(CancellationToken.None);
        return code;
    }

    /// <summary>The operator over any API server and any nodes: tests give their own.</summary>
    internal static OperatorHost Compose(OperatorOptions options, IKubernetesApi api, INodeAdmin admin, OperatorMetrics metrics, ILoggerFactory loggers, string version)
    {
        var time = TimeProvider.System;
        var world = new KubernetesWorld(api, NodeImage.Parse(options.NodeImage, version));
        var observer = new ClusterObserver(world, admin);
        var reporter = new PassReporter(new StatusWriter(api), new EventRecorder(api, time, loggers.CreateLogger<EventRecorder>()));
        var clusterQueue = new WorkQueue<ObjectKey>(time, new Random());
        var typeQueue = new WorkQueue<ObjectKey>(time, new Random());
        metrics.ObserveQueue("Cluster", () => clusterQueue.Depth);
        metrics.ObserveQueue("BucketType", () => typeQueue.Depth);
        var clusterController = new ClusterController(new ClusterReconciler(observer, new ClusterApplier(world, admin), time, PassIntervals.Kubernetes), reporter);
        var typeController = new BucketTypeController(new EntityClient(api), new SharedClaims(api, time), new BucketTypeReconciler(observer, admin, time, PassIntervals.Kubernetes), reporter);
        return new OperatorHost(
            options,
            api,
            new ControllerLoop<Cluster>(api, ResourceKind.Cluster, clusterController, [new VolumesFinalizer(api)], clusterQueue, metrics, loggers.CreateLogger<ControllerLoop<Cluster>>()),
            new ControllerLoop<BucketType>(api, ResourceKind.BucketType, typeController, [], typeQueue, metrics, loggers.CreateLogger<ControllerLoop<BucketType>>()),
            metrics,
            time,
            loggers);
    }

    /// <summary>Metrics and health. Neither probe asks the API server: its absence is no reason to restart the operator, and a replica that does not lead is ready too.</summary>
    private static WebApplication Web(OperatorOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(options.LogLevel).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        if (options.JsonLog)
        {
            builder.Logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ssZ ", true));
        }

        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(options.Port));
        builder.Services.AddOpenTelemetry().WithMetrics(meters => meters.AddMeter(OperatorMetrics.MeterName).AddPrometheusExporter());
        var app = builder.Build();
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/livez", () => "ok\n");
        app.MapGet("/readyz", () => "ok\n");
        return app;
    }
}
