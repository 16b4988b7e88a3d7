using System.Net;
using Grpc.Core;
using Kv.Protos.Kv.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kv.Node.Tests.Client;

/// <summary>A node that tells rings, and serves sessions as its test wants it.</summary>
internal sealed class RingTeller : IAsyncDisposable
{
    private readonly Func<RingTeller, long, GetRingResponse> answer;
    private readonly WebApplication app;
    private int asked;

    private RingTeller(Func<RingTeller, long, GetRingResponse> answer, WebApplication app) => (this.answer, this.app) = (answer, app);

    /// <summary>`host:port`.</summary>
    public string Endpoint => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Authority;

    /// <summary>Starts one that answers each question after a newer ring, given how often it was asked before, by <paramref name="answer"/>.</summary>
    public static async Task<RingTeller> StartAsync(Func<RingTeller, long, GetRingResponse> answer, CancellationToken cancel)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        RingTeller? teller = null;
        builder.Services.AddSingleton(_ => new Calls(teller!));
        var app = builder.Build();
        app.MapGrpcService<Calls>();
        teller = new RingTeller(answer, app);
        await app.StartAsync(cancel);
        return teller;
    }

    /// <summary>What a session does; answers each operation as done by default.</summary>
    public Func<IAsyncStreamReader<SessionRequests>, IServerStreamWriter<SessionResponses>, ServerCallContext, Task> Session { get; set; } = async (reader, writer, call) =>
    {
        while (await reader.MoveNext(call.CancellationToken))
        {
            await writer.WriteAsync(Done(reader.Current), call.CancellationToken);
        }
    };

    /// <summary>All puts and updates that were asked for are done.</summary>
    public static SessionResponses Done(SessionRequests frame) => Answer(frame, null);

    public static SessionResponses Answer(SessionRequests frame, Error? error) => new()
    {
        Responses =
        {
            frame.Requests.Select(request => request.OperationCase == SessionRequest.OperationOneofCase.Put
                ? new SessionResponse { Id = request.Id, Put = new PutResponse { Error = error } }
                : new SessionResponse { Id = request.Id, UpdateDataType = new UpdateDataTypeResponse { Error = error } }),
        },
    };

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private sealed class Calls(RingTeller teller) : Protos.Kv.V1.Kv.KvBase
    {
        public override Task<GetRingResponse> GetRing(GetRingRequest request, ServerCallContext context) =>
            Task.FromResult(teller.answer(teller, Interlocked.Increment(ref teller.asked) - 1));

        public override Task Session(IAsyncStreamReader<SessionRequests> requestStream, IServerStreamWriter<SessionResponses> responseStream, ServerCallContext context) =>
            teller.Session(requestStream, responseStream, context);
    }
}
