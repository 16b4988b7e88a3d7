using System.Text.Json.Nodes;
using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>What a cluster should be. The operator never writes it.</summary>
[Description("What the cluster should be. The operator never writes here.")]
[ValidationRule("self.ringSize == oldSelf.ringSize", nameof(KeepsRingSize), "the ring size is fixed when the cluster is made", FieldPath = ".ringSize")]
[ValidationRule("has(self.zones) == has(oldSelf.zones)", nameof(KeepsZones), "zones are given when the cluster is made or not at all", FieldPath = ".zones")]
[ValidationRule("!has(oldSelf.zones) || !has(self.zones) || oldSelf.zones.all(o, self.zones.exists(n, n.name == o.name))", nameof(KeepsEachZone), "a zone cannot be taken from a cluster", FieldPath = ".zones")]
[ValidationRule("!has(self.zones) || size(self.zones) <= self.nodes", nameof(EachZoneHasANode), "there must be at least a node for each zone", FieldPath = ".nodes")]
public sealed class ClusterSpec
{
    [Length(1, 512)]
    [Description("The image of the nodes, by tag or digest. Without it, the operator's own default with the tag in version.")]
    public string? Image { get; set; }

    [Length(1, 64)]
    [Pattern("^[0-9A-Za-z][-.+0-9A-Za-z_]*$")]
    [Description("The version of the nodes: the tag of the operator's default image. Not looked at where image is given.")]
    public string? Version { get; set; }

    [RangeMinimum(1)]
    [RangeMaximum(200)]
    [Description("How many nodes the ring has; spread evenly over the zones. kubectl scale sets it. Where it is lowered, the last of each zone hand over what they hold, and go.")]
    public int Nodes { get; set; } = 3;

    [Items(1, 10)]
    [XListType("map")]
    [XListMapKeys("name")]
    [Description("Failure domains: copies of a partition are put into different zones wherever there are enough. One StatefulSet each.")]
    public List<ClusterZone>? Zones { get; set; }

    [EnumValues(8, 16, 32, 64, 128, 256, 512, 1024)]
    [Description("Partitions of the ring; fixed when the cluster is made. About ten for each node that it will ever have.")]
    public int RingSize { get; set; } = 64;

    [Items(0, 64)]
    [ItemLength(16, 16)]
    [Pattern("^[0-9a-f]{16}$")]
    [XListType("set")]
    [Description("Ids of nodes that are to leave the ring, as in status.nodeStatuses: they hand over what they hold and go. Where their place is still wanted, a new node with an empty volume takes it. An id that has left says nothing any more.")]
    public List<string>? LeavingNodes { get; set; }

    [Items(0, 64)]
    [ItemLength(16, 16)]
    [Pattern("^[0-9a-f]{16}$")]
    [XListType("set")]
    [Description("Ids of nodes that are given up, since their volume is lost or they never come back. A new node with an empty volume takes over what such a node owned, and rebuilds it from the other copies; where there is no room for one, the others do. A node that is up is not given up.")]
    public List<string>? LostNodes { get; set; }

    [Description("Where nodes keep their data.")]
    public ClusterStorage Storage { get; set; } = new();

    [Description("Processor and memory of each node. A node computes its memory budget from the memory limit; without one it is 2Gi, which is room for a ring of 64 partitions on one node.")]
    public ClusterResources Resources { get; set; } = new();

    [Items(0, 64)]
    [ItemLength(0, 1024)]
    [Description("Settings of the nodes by their option's name, as in handoff-concurrency: \"4\". When they change, the nodes are restarted one at a time.")]
    public Dictionary<string, string>? Config { get; set; }

    [Length(1, 256)]
    [Description("Any text. When it changes, every node is restarted, one at a time and only where no data loses its quorum.")]
    public string? RestartReason { get; set; }

    [Description("How nodes are restarted.")]
    public ClusterRollout Rollout { get; set; } = new();

    [Description("How applications outside reach the cluster.")]
    public ClusterService Service { get; set; } = new();

    [Description("While true, the operator changes nothing of the cluster and its bucket types but how many nodes a drain may take, and only reports.")]
    public bool Paused { get; set; }

    [PreserveUnknownFields]
    [Description("Laid over the pod template of the nodes: objects are merged, lists of named items by name, anything else replaced. Labels under kv.dev/ are refused.")]
    public JsonObject? PodTemplate { get; set; }

    public static bool KeepsRingSize(ClusterSpec self, ClusterSpec old) => self.RingSize == old.RingSize;

    public static bool KeepsZones(ClusterSpec self, ClusterSpec old) => self.Zones is null == old.Zones is null;

    public static bool KeepsEachZone(ClusterSpec self, ClusterSpec old) =>
        old.Zones is null || self.Zones is null || old.Zones.TrueForAll(o => self.Zones.Exists(n => n.Name == o.Name));

    public static bool EachZoneHasANode(ClusterSpec self) => self.Zones is null || self.Zones.Count <= self.Nodes;
}
