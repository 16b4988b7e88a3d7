using Kv.Cluster.Membership;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;

namespace Kv.Wire.Native;

/// <summary>The ring as clients need it, and the wait for a newer one.</summary>
public sealed class RingView
{
    private const int UsualNVal = 3;

    private readonly ClusterState state;
    private volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RingView(ClusterState state)
    {
        this.state = state;
        state.Subscribe(_ => Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult());
    }

    /// <summary>The present ring, as soon as it is newer than <paramref name="afterVersion"/> or the wait is over; null where there is none.</summary>
    public async Task<GetRingResponse?> GetAsync(long afterVersion, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        while (true)
        {
            // Taken before the look, so that a change between the two is not missed.
            var next = changed.Task;
            var snapshot = state.Current;
            if (snapshot.DocumentVersion > afterVersion || afterVersion <= 0 || both.IsCancellationRequested)
            {
                return Of(snapshot);
            }

            await next.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static GetRingResponse? Of(ClusterSnapshot snapshot)
    {
        if (snapshot.Document is not { } document)
        {
            return null;
        }

        var response = new GetRingResponse { Version = document.Version, ClusterName = document.ClusterName };
        var positions = new Dictionary<Core.Rings.NodeId, uint>();
        foreach (var member in document.Members)
        {
            positions[member.Id] = (uint)response.Nodes.Count;
            response.Nodes.Add(new RingNode
            {
                Name = member.Name,
                GrpcEndpoint = member.Endpoints.GetValueOrDefault("grpc", ""),
                Up = snapshot.IsUp(member.Id),
            });
        }

        foreach (var owner in document.Ring.Owners)
        {
            response.Owners.Add(positions[owner]);
        }

        if (document.DefaultTypeProps.NVal != UsualNVal)
        {
            response.NVals[ObjectKey.DefaultType] = (uint)document.DefaultTypeProps.NVal;
        }

        foreach (var (name, type) in document.BucketTypes)
        {
            if (type.Props.NVal != UsualNVal)
            {
                response.NVals[name] = (uint)type.Props.NVal;
            }
        }

        return response;
    }
}
