using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.BucketTypes;

/// <summary>One pass over a bucket type: observe, plan, apply, and the status that follows. It writes no status itself.</summary>
internal sealed class BucketTypeReconciler(ClusterObserver clusters, INodeAdmin admin, TimeProvider time, PassIntervals intervals)
{
    /// <param name="type">The bucket type.</param>
    /// <param name="cluster">The cluster that it refers to; null if there is none.</param>
    /// <param name="all">What the bucket types of its namespace ask for.</param>
    /// <param name="cancel">Ends the pass.</param>
    public async Task<BucketTypePass> RunAsync(BucketType type, Cluster? cluster, IEnumerable<BucketTypeClaim> all, CancellationToken cancel)
    {
        // The nodes have nothing to say about whose the type is, and nobody has to wait for them to be told.
        var observed = type.IsRenamed ? new ObservedBucketType { Cluster = cluster }
            : BucketTypePlanner.HolderBefore(type, all) is { } holder ? new ObservedBucketType { Cluster = cluster, Holder = holder }
            : null;
        BucketTypeAction? action = null;
        string? error = null;
        string? refusal = null;
        TimeSpan? longest = null;
        try
        {
            observed ??= await ObserveAsync(type, cluster, cancel);
            action = BucketTypePlanner.Next(type, observed);
            await ApplyAsync(type.TypeName, observed, action, cancel);
        }
        catch (NodeRefusedException e) when (e.Code is StatusCode.InvalidArgument or StatusCode.AlreadyExists)
        {
            refusal = error = e.Message;
            longest = intervals.Idle;
        }
        catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException or WorldException)
        {
            error = e.Message;
            longest = e is WorldException ? null : intervals.Idle;
        }

        var status = BucketTypeStatusBuilder.Build(type, observed, action, error, refusal, time.GetUtcNow());
        var wait = action switch
        {
            BucketTypeAction.Steady or BucketTypeAction.Refuse => intervals.Idle,
            BucketTypeAction.Wait or BucketTypeAction.WaitForNodes or null => intervals.Waiting,
            _ => intervals.Acting,
        };
        return new BucketTypePass(status, action, error, wait) { LongestBackoff = longest };
    }

    private async Task<ObservedBucketType> ObserveAsync(BucketType type, Cluster? cluster, CancellationToken cancel)
    {
        if (cluster is null)
        {
            return new ObservedBucketType();
        }

        var seen = await clusters.ObserveAsync(cluster, cancel);
        var members = AnyMember.AddressesOf(seen).ToImmutableArray();
        var observed = new ObservedBucketType { Cluster = cluster, Ring = seen.Ring, AdminAddresses = members };
        if (members.Length == 0)
        {
            return observed;
        }

        var found = await AnyMember.AskAsync(members, address => admin.FindBucketTypeAsync(address, type.TypeName, cancel));
        return observed with { Existing = found is null ? null : ToExisting(found) };
    }

    private async Task ApplyAsync(string name, ObservedBucketType observed, BucketTypeAction action, CancellationToken cancel)
    {
        switch (action)
        {
            case BucketTypeAction.Create create:
                await AnyMember.AskAsync(observed.AdminAddresses, address => admin.CreateBucketTypeAsync(address, name, create.Props.ToJsonString(), cancel));
                break;
            case BucketTypeAction.Update update:
                await AnyMember.AskAsync(observed.AdminAddresses, address => admin.UpdateBucketTypeAsync(address, name, update.Props.ToJsonString(), cancel));
                break;
            case BucketTypeAction.Activate:
                await AnyMember.AskAsync(observed.AdminAddresses, address => admin.ActivateBucketTypeAsync(address, name, cancel));
                break;
            default:
                // The others wait.
                break;
        }
    }

    private static ExistingBucketType ToExisting(Admin.BucketType type)
    {
        var state = type.State switch
        {
            Admin.BucketType.Types.State.Active => BucketTypeState.Active,
            Admin.BucketType.Types.State.Ready => BucketTypeState.Ready,
            _ => BucketTypeState.Created,
        };
        return new ExistingBucketType(state, ParseProps(type.PropsJson), [.. type.MissingOn.Order(StringComparer.Ordinal)]);
    }

    private static JsonObject ParseProps(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? [];
        }
        catch (JsonException e)
        {
            throw new WorldException($"a node's bucket type has properties that are not JSON: {e.Message}", e);
        }
    }
}
