using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Core.Buckets;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Entities;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;
using BucketType = Kv.Operator.Api.BucketTypes.BucketType;
using TypeState = Kv.Operator.BucketTypes.BucketTypeState;

namespace Kv.Operator.Tests.Api;

/// <summary>An API server before 1.25 runs no rules. What it lets through is refused by the operator, which sees not the object before but what was made of it, or by the nodes.</summary>
public sealed class OlderServerTests
{
    [Theory]
    [MemberData(nameof(RuleTable.Rows), MemberType = typeof(RuleTable))]
    public void Condition_SaysWhatTheRuleWouldHave(string file, string message, string? before, string taken, string refused)
    {
        // A type with a backend that its nodes do not know is taken, to be told about.
        Assert.Equal(taken.Contains("bitcask", StringComparison.Ordinal) ? Conditions.Reasons.RefusedByNodes : null, Refusal(file, taken, before)?.Reason);

        var refusal = Refusal(file, refused, before);
        Assert.NotNull(refusal);
        if (before is null)
        {
            Assert.Equal(Conditions.Reasons.InvalidSpec, refusal.Reason);
            Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(ReasonFor(message), refusal.Reason);
        }
    }

    private static string ReasonFor(string message) => message switch
    {
        "the ring size is fixed when the cluster is made" => Conditions.Reasons.RingSizeImmutable,
        "zones are given when the cluster is made or not at all" or "a zone cannot be taken from a cluster" => Conditions.Reasons.ZonesImmutable,
        "the size of the volumes is fixed when the cluster is made" or "the storage class is fixed when the cluster is made" => Conditions.Reasons.StorageImmutable,
        "consistent cannot be changed" => Conditions.Reasons.NotSupported,
        "hllPrecision can only be reduced" => Conditions.Reasons.RefusedByNodes,
        _ => Conditions.Reasons.ImmutableProperty,
    };

    /// <summary>The condition that is False of an object that was written over <paramref name="before"/>; null if it is not.</summary>
    private static Condition? Refusal(string file, string self, string? before)
    {
        var condition = file == "cluster.yaml"
            ? ConditionOf(Read<Cluster>(file, self), before is null ? null : Read<Cluster>(file, before))
            : ConditionOf(Read<BucketType>(file, self), before is null ? null : Read<BucketType>(file, before));
        return condition.Status == "False" ? condition : null;
    }

    private static Condition ConditionOf(Cluster self, Cluster? old)
    {
        var world = old is null ? new ObservedCluster() : new ObservedCluster
        {
            Workloads = [.. ZoneShares.Of(old.Spec, []).Select(share => new ObservedWorkload(share.Key, $"a-{share.Key}", share.Value)
            {
                StorageSize = old.Spec.Storage.Size,
                StorageClass = old.Spec.Storage.StorageClass,
            })],
            Ring = Build.Ring(3) with { RingSize = old.Spec.RingSize },
        };
        var status = ClusterStatusBuilder.Build(self, world, ClusterPlanner.Next(self, world, Build.Now), null, Build.Now);
        return status.Conditions!.Single(condition => condition.Type == Conditions.Valid);
    }

    private static Condition ConditionOf(BucketType self, BucketType? old)
    {
        var world = new ObservedBucketType
        {
            Cluster = Build.Cluster(nodes: 32),
            Ring = Build.Ring(3),
            AdminAddresses = ["admin-0"],
            Existing = old is null ? null : new ExistingBucketType(TypeState.Active, BucketTypeProps.ToRiak(old.Spec), []),
        };
        if (old is not null)
        {
            (self.Status.State, self.Status.AcceptedName, self.Status.AcceptedCluster) = (nameof(TypeState.Active), old.TypeName, old.Spec.ClusterRef.Name);
        }

        var next = BucketTypePlanner.Next(self, world);
        return BucketTypeStatusBuilder.Build(self, world, next, null, RefusalByNodes(next, old), Build.Now).Conditions!.Single(condition => condition.Type == Conditions.Accepted);
    }

    /// <summary>What nodes answer to what the operator sends them; null if they do it.</summary>
    private static string? RefusalByNodes(BucketTypeAction action, BucketType? old)
    {
        var answer = action switch
        {
            BucketTypeAction.Create create => BucketPropsRules.CreateType(Element(create.Props)),
            BucketTypeAction.Update update => BucketPropsRules.UpdateType(BucketPropsRules.CreateType(Element(BucketTypeProps.ToRiak(old!.Spec))).Props!, Element(update.Props)),
            _ => null,
        };
        return answer is { Problems: [var problem, ..] } ? problem.ToString() : null;
    }

    private static JsonElement Element(JsonObject props) => JsonSerializer.SerializeToElement(props);

    private static T Read<T>(string file, string overlay) => RuleTable.Object(file, overlay).Deserialize<T>(KvJson.Options)!;
}
