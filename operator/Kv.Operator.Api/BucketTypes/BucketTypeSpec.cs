using k8s.Models;
using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.BucketTypes;

/// <summary>The properties of a bucket type, with Riak's meanings; defaults are those of a new type in Riak.</summary>
[Description("The properties of the bucket type, with Riak's meanings; defaults are those of a new type in Riak.")]
[ValidationRule("self.clusterRef.name == oldSelf.clusterRef.name", nameof(KeepsCluster), "a bucket type stays in its cluster", FieldPath = ".clusterRef")]
[ValidationRule("has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)", nameof(KeepsName), "the name of a bucket type cannot be changed", FieldPath = ".name")]
[ValidationRule("has(self.datatype) == has(oldSelf.datatype) && (!has(self.datatype) || self.datatype == oldSelf.datatype)", nameof(KeepsDatatype), "the datatype of a bucket type cannot be changed", FieldPath = ".datatype")]
[ValidationRule("self.writeOnce == oldSelf.writeOnce", nameof(KeepsWriteOnce), "writeOnce cannot be changed", FieldPath = ".writeOnce")]
[ValidationRule("self.consistent == oldSelf.consistent", nameof(KeepsConsistent), "consistent cannot be changed", FieldPath = ".consistent")]
[ValidationRule("has(self.backend) == has(oldSelf.backend) && (!has(self.backend) || self.backend == oldSelf.backend)", nameof(KeepsBackend), "the backend of a bucket type cannot be changed", FieldPath = ".backend")]
[ValidationRule("(has(self.hllPrecision) ? self.hllPrecision : 14) <= (has(oldSelf.hllPrecision) ? oldSelf.hllPrecision : 14)", nameof(OnlyReducesPrecision), "hllPrecision can only be reduced", FieldPath = ".hllPrecision")]
[ValidationRule("!(self.allowMult && self.lastWriteWins)", nameof(SiblingsOrLastWrite), "allowMult and lastWriteWins exclude each other", FieldPath = ".lastWriteWins")]
[ValidationRule("!(self.lastWriteWins && self.dvvEnabled)", nameof(LastWriteWithoutDvv), "lastWriteWins needs dvvEnabled: false", FieldPath = ".lastWriteWins")]
[ValidationRule("!has(self.datatype) || self.allowMult", nameof(DatatypeKeepsSiblings), "a type with a datatype needs allowMult: true", FieldPath = ".allowMult")]
[ValidationRule("!has(self.hllPrecision) || (has(self.datatype) && self.datatype == 'hll')", nameof(PrecisionNeedsHll), "hllPrecision needs datatype: hll", FieldPath = ".hllPrecision")]
[ValidationRule("!(self.writeOnce && self.consistent)", nameof(WriteOnceIsNotConsistent), "writeOnce and consistent exclude each other", FieldPath = ".writeOnce")]
[ValidationRule("!(self.writeOnce && has(self.datatype))", nameof(WriteOnceHasNoDatatype), "writeOnce and datatype exclude each other", FieldPath = ".writeOnce")]
[ValidationRule(
    "!(has(self.precommit) || has(self.postcommit)) || !(self.writeOnce || self.consistent || has(self.datatype))",
    nameof(HooksAreShownValues),
    "precommit and postcommit exclude datatype, writeOnce and consistent",
    FieldPath = ".precommit")]
[ValidationRule("type(self.r) != int || self.r <= self.nVal", nameof(RFits), "r is at most nVal", FieldPath = ".r")]
[ValidationRule("type(self.w) != int || self.w <= self.nVal", nameof(WFits), "w is at most nVal", FieldPath = ".w")]
[ValidationRule("type(self.pr) != int || self.pr <= self.nVal", nameof(PrFits), "pr is at most nVal", FieldPath = ".pr")]
[ValidationRule("type(self.pw) != int || self.pw <= self.nVal", nameof(PwFits), "pw is at most nVal", FieldPath = ".pw")]
[ValidationRule("type(self.dw) != int || self.dw <= self.nVal", nameof(DwFits), "dw is at most nVal", FieldPath = ".dw")]
[ValidationRule("type(self.rw) != int || self.rw <= self.nVal", nameof(RwFits), "rw is at most nVal", FieldPath = ".rw")]
[ValidationRule("type(self.nodeConfirms) != int || self.nodeConfirms <= self.nVal", nameof(NodeConfirmsFits), "nodeConfirms is at most nVal", FieldPath = ".nodeConfirms")]
[ValidationRule("!has(self.youngVClockSeconds) || !has(self.oldVClockSeconds) || self.youngVClockSeconds <= self.oldVClockSeconds", nameof(YoungIsYounger), "youngVClockSeconds is at most oldVClockSeconds", FieldPath = ".youngVClockSeconds")]
[ValidationRule("!has(self.smallVClock) || !has(self.bigVClock) || self.smallVClock <= self.bigVClock", nameof(SmallIsSmaller), "smallVClock is at most bigVClock", FieldPath = ".smallVClock")]
public sealed class BucketTypeSpec
{
    /// <summary>What nodes give a hll without a precision.</summary>
    public const int DefaultHllPrecision = 14;

    private const string QuorumWords = "^(one|quorum|all)$";

    [Required]
    [Description("The cluster that has the type.")]
    public ClusterReference ClusterRef { get; set; } = new();

    [Length(1, 128)]
    [Pattern("^[0-9A-Za-z_][-.0-9A-Za-z_]*$")]
    [Description("The name that clients use, where it cannot be the object's own.")]
    public string? Name { get; set; }

    [RangeMinimum(1)]
    [RangeMaximum(32)]
    [Description("Copies of each object. Cannot be changed once the type is active.")]
    public int NVal { get; set; } = 3;

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(1)]
    [RangeMaximum(32)]
    [Description("Copies that must answer a read: a number, or one, quorum, all.")]
    public IntOrString R { get; set; } = "quorum";

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(1)]
    [RangeMaximum(32)]
    [Description("Copies that must answer a write.")]
    public IntOrString W { get; set; } = "quorum";

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(0)]
    [RangeMaximum(32)]
    [Description("Of those that answer a read, how many must be primaries.")]
    public IntOrString Pr { get; set; } = 0;

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(0)]
    [RangeMaximum(32)]
    [Description("Of those that answer a write, how many must be primaries.")]
    public IntOrString Pw { get; set; } = 0;

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(0)]
    [RangeMaximum(32)]
    [Description("Copies that must be durable before a write is acknowledged.")]
    public IntOrString Dw { get; set; } = "quorum";

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(1)]
    [RangeMaximum(32)]
    [Description("Copies that must answer a delete.")]
    public IntOrString Rw { get; set; } = "quorum";

    [Pattern(QuorumWords)]
    [Length(3, 6)]
    [RangeMinimum(0)]
    [RangeMaximum(32)]
    [Description("Distinct nodes among those that answer a request.")]
    public IntOrString NodeConfirms { get; set; } = 0;

    [Description("Whether concurrent writes are kept side by side for the application to merge.")]
    public bool AllowMult { get; set; } = true;

    [Description("Whether a write replaces whatever is there, without looking at causality.")]
    public bool LastWriteWins { get; set; }

    [Description("Whether siblings are tracked by dotted version vectors, which keeps false ones away.")]
    public bool DvvEnabled { get; set; } = true;

    [Description("Whether a copy that has not the object counts as an answer to a read.")]
    public bool NotFoundOk { get; set; } = true;

    [Description("Whether a read ends as not found as soon as a quorum of copies said so.")]
    public bool BasicQuorum { get; set; }

    [Pattern("^(keep|immediate)$")]
    [Length(4, 9)]
    [RangeMinimum(0)]
    [RangeMaximum(86400000)]
    [Description("When the mark of a deleted object may go: keep, immediate, or a delay in milliseconds.")]
    public IntOrString DeleteMode { get; set; } = 3000;

    [RangeMinimum(1)]
    [RangeMaximum(int.MaxValue)]
    [Description("Seconds after its write when an object is not served any more, and is deleted. Not with datatype, writeOnce, consistent or backend ordered.")]
    public int? TtlSeconds { get; set; }

    [EnumValues("synced", "interval", "memory")]
    [Description("What a durable write waits for: synced is on disk; interval is on disk soon; memory is for caches.")]
    public string Durability { get; set; } = "synced";

    [EnumValues("backend", "one", "all")]
    [Description("Whose disk a write waits for though durability asks for less: backend is nobody's, one is that of the node that takes the write, all is each copy's. Without it: backend.")]
    public string? SyncOnWrite { get; set; }

    [Description("Whether copies are compared in the background and repaired without anybody reading them. A cache may do without.")]
    public bool Aae { get; set; } = true;

    [Length(1, 64)]
    [Pattern("^[a-z][-a-z0-9]*$")]
    [Description("The storage engine: faster, which is also what a type without it has, keeps a hash table; ordered keeps records by key; memory keeps nothing on disk, within the nodes' bound. Cannot be changed.")]
    public string? Backend { get; set; }

    [EnumValues("counter", "set", "gset", "map", "hll")]
    [Description("The data type of all its objects; without it, plain values. Cannot be changed.")]
    public string? Datatype { get; set; }

    [Description("Whether objects are written once and never changed. Cannot be changed.")]
    public bool WriteOnce { get; set; }

    [Items(1, 8)]
    [ItemLength(1, 63)]
    [Pattern("^[a-z0-9-]+$")]
    [XListType("set")]
    [Description("Hooks that are asked before each write, in this order: names that the nodes' setting hooks gives an address. Not with datatype, writeOnce or consistent.")]
    public List<string>? Precommit { get; set; }

    [Items(1, 8)]
    [ItemLength(1, 63)]
    [Pattern("^[a-z0-9-]+$")]
    [XListType("set")]
    [Description("Hooks that are told after each write. Not with datatype, writeOnce or consistent.")]
    public List<string>? Postcommit { get; set; }

    [Description("Whether each key is linearizable. Cannot be changed.")]
    public bool Consistent { get; set; }

    [RangeMinimum(4)]
    [RangeMaximum(16)]
    [Description("Precision of a hll, which has 14 without it; can only be reduced.")]
    public int? HllPrecision { get; set; }

    [RangeMinimum(1)]
    [RangeMaximum(int.MaxValue)]
    [Description("Clock entries older than this may be pruned.")]
    public int? OldVClockSeconds { get; set; }

    [RangeMinimum(0)]
    [RangeMaximum(int.MaxValue)]
    [Description("Clock entries younger than this are never pruned.")]
    public int? YoungVClockSeconds { get; set; }

    [RangeMinimum(1)]
    [RangeMaximum(10000)]
    [Description("Clocks with more entries than this are pruned.")]
    public int? BigVClock { get; set; }

    [RangeMinimum(1)]
    [RangeMaximum(10000)]
    [Description("Clocks with fewer entries than this are never pruned.")]
    public int? SmallVClock { get; set; }

    public static bool KeepsCluster(BucketTypeSpec self, BucketTypeSpec old) => self.ClusterRef.Name == old.ClusterRef.Name;

    public static bool KeepsName(BucketTypeSpec self, BucketTypeSpec old) => self.Name == old.Name;

    public static bool KeepsDatatype(BucketTypeSpec self, BucketTypeSpec old) => self.Datatype == old.Datatype;

    public static bool KeepsWriteOnce(BucketTypeSpec self, BucketTypeSpec old) => self.WriteOnce == old.WriteOnce;

    public static bool KeepsConsistent(BucketTypeSpec self, BucketTypeSpec old) => self.Consistent == old.Consistent;

    public static bool KeepsBackend(BucketTypeSpec self, BucketTypeSpec old) => self.Backend == old.Backend;

    public static bool OnlyReducesPrecision(BucketTypeSpec self, BucketTypeSpec old) =>
        (self.HllPrecision ?? DefaultHllPrecision) <= (old.HllPrecision ?? DefaultHllPrecision);

    public static bool SiblingsOrLastWrite(BucketTypeSpec self) => !(self.AllowMult && self.LastWriteWins);

    public static bool LastWriteWithoutDvv(BucketTypeSpec self) => !(self.LastWriteWins && self.DvvEnabled);

    public static bool DatatypeKeepsSiblings(BucketTypeSpec self) => self.Datatype is null || self.AllowMult;

    public static bool PrecisionNeedsHll(BucketTypeSpec self) => self.HllPrecision is null || self.Datatype == "hll";

    public static bool WriteOnceIsNotConsistent(BucketTypeSpec self) => !(self.WriteOnce && self.Consistent);

    public static bool WriteOnceHasNoDatatype(BucketTypeSpec self) => !(self.WriteOnce && self.Datatype is not null);

    public static bool HooksAreShownValues(BucketTypeSpec self) =>
        (self.Precommit is null && self.Postcommit is null) || !(self.WriteOnce || self.Consistent || self.Datatype is not null);

    public static bool RFits(BucketTypeSpec self) => Fits(self.R, self.NVal);

    public static bool WFits(BucketTypeSpec self) => Fits(self.W, self.NVal);

    public static bool PrFits(BucketTypeSpec self) => Fits(self.Pr, self.NVal);

    public static bool PwFits(BucketTypeSpec self) => Fits(self.Pw, self.NVal);

    public static bool DwFits(BucketTypeSpec self) => Fits(self.Dw, self.NVal);

    public static bool RwFits(BucketTypeSpec self) => Fits(self.Rw, self.NVal);

    public static bool NodeConfirmsFits(BucketTypeSpec self) => Fits(self.NodeConfirms, self.NVal);

    public static bool YoungIsYounger(BucketTypeSpec self) =>
        self.YoungVClockSeconds is null || self.OldVClockSeconds is null || self.YoungVClockSeconds <= self.OldVClockSeconds;

    public static bool SmallIsSmaller(BucketTypeSpec self) => self.SmallVClock is null || self.BigVClock is null || self.SmallVClock <= self.BigVClock;

    private static bool Fits(IntOrString quorum, int nVal) => !int.TryParse((string)quorum, out var number) || number <= nVal;
}
