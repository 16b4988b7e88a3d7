using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Protos.Admin.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Kv.Wire.Tests;

/// <summary>What failed calls say to their callers, and to the log.</summary>
public sealed class CallFailuresTests
{
    [Fact]
    public async Task ABug_IsLoggedOnce_AndTheCallerIsToldNoDetails()
    {
        var log = new LoggedErrors();
        await using var app = Serve(log);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        var admin = new Protos.Admin.V1.Admin.AdminClient(channel);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal((StatusCode.Internal, "the node failed: see its log"), (failure.StatusCode, failure.Status.Detail));
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        var full = await Assert.ThrowsAsync<RpcException>(async () => await admin.GetPlanAsync(new GetPlanRequest(), cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.ResourceExhausted, full.StatusCode);
        Assert.Equal(["a call of /kv.admin.v1.Admin/GetNode failed: the secret"], log.Errors);
    }

    private static WebApplication Serve(LoggedErrors log)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log).AddFilter(CallFailures.LibraryCategory, LogLevel.None);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<CallFailures>());
        var app = builder.Build();
        app.MapGrpcService<Broken>();
        return app;
    }

    private sealed class Broken : Protos.Admin.V1.Admin.AdminBase
    {
        public override Task<Node> GetNode(GetNodeRequest request, ServerCallContext context) => throw new InvalidOperationException("the secret");

        public override Task<Protos.Admin.V1.Cluster> GetCluster(GetClusterRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "no_cluster: none"));

        public override Task<Plan> GetPlan(GetPlanRequest request, ServerCallContext context) => throw new InsufficientMemoryException();
    }
}
