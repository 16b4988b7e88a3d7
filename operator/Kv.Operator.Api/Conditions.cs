using System.Diagnostics.CodeAnalysis;

namespace Kv.Operator.Api;

/// <summary>The closed list of condition types and reasons. A word that is not here does not appear in a status.</summary>
[SuppressMessage("Design", "CA1034:Nested types should not be visible", Justification = "Types and reasons are two halves of one list and read best together.")]
public static class Conditions
{
    /// <summary>Available, not progressing, and the spec that was observed is the newest: what <c>kubectl wait</c> should wait for.</summary>
    public const string Ready = "Ready";

    /// <summary>Every partition can serve reads and writes with the default quorums.</summary>
    public const string Available = "Available";

    /// <summary>The cluster is on its way to what the spec says.</summary>
    public const string Progressing = "Progressing";

    /// <summary>Something needs attention.</summary>
    public const string Degraded = "Degraded";

    /// <summary>All members that are up hold the same version of the cluster document.</summary>
    public const string RingConverged = "RingConverged";

    /// <summary>No partition is on its way from one node to another.</summary>
    public const string TransfersIdle = "TransfersIdle";

    /// <summary>Copies of data are gone, and not only away: until they are made anew, another loss costs more than it should.</summary>
    public const string UnderReplicated = "UnderReplicated";

    /// <summary>The disk of a node is nearly full.</summary>
    public const string DiskPressure = "DiskPressure";

    /// <summary>The certificates that nodes have in use are good, and will be for a while. Not there where none has one.</summary>
    public const string CertificatesValid = "CertificatesValid";

    /// <summary>Nodes restart one after another, to run as the spec now says.</summary>
    public const string UpgradeInProgress = "UpgradeInProgress";

    /// <summary>The last pass of the operator ended without an error.</summary>
    public const string ReconcileSuccess = "ReconcileSuccess";

    /// <summary>The operator only watches.</summary>
    public const string Paused = "Paused";

    /// <summary>A wish of the spec is not carried out, and the reason says why.</summary>
    public const string Blocked = "Blocked";

    /// <summary>The spec makes sense by itself.</summary>
    public const string Valid = "Valid";

    /// <summary>The bucket type is in the cluster's document.</summary>
    public const string Created = "Created";

    /// <summary>The bucket type is active, and every node has it.</summary>
    public const string Active = "Active";

    /// <summary>The cluster takes the bucket type as it is written.</summary>
    public const string Accepted = "Accepted";

    public static IReadOnlyList<string> OfCluster { get; } =
        [Ready, Available, Progressing, Degraded, RingConverged, TransfersIdle, UnderReplicated, DiskPressure, CertificatesValid, UpgradeInProgress, ReconcileSuccess, Paused, Blocked, Valid];

    public static IReadOnlyList<string> OfBucketType { get; } = [Accepted, Created, Ready, Active, ReconcileSuccess];

    /// <summary>Why a condition is as it is.</summary>
    public static class Reasons
    {
        public const string AsExpected = "AsExpected";
        public const string Paused = "Paused";
        public const string NotPaused = "NotPaused";
        public const string NotObserved = "NotObserved";
        public const string Error = "Error";
        public const string Deleting = "Deleting";

        // Cluster: what it is doing.
        public const string CreatingChildren = "CreatingChildren";
        public const string WaitingForPods = "WaitingForPods";
        public const string CreatingRing = "CreatingRing";
        public const string Joining = "Joining";
        public const string Committing = "Committing";
        public const string HandingOff = "HandingOff";
        public const string RingConverging = "RingConverging";
        public const string Growing = "Growing";
        public const string NewGeneration = "NewGeneration";
        public const string Restarting = "Restarting";
        public const string PlanningLeave = "PlanningLeave";
        public const string Leaving = "Leaving";
        public const string Cancelling = "Cancelling";
        public const string ConfirmingExit = "ConfirmingExit";
        public const string Shrinking = "Shrinking";
        public const string RenewingVolume = "RenewingVolume";
        public const string ReleasingStorage = "ReleasingStorage";
        public const string Replacing = "Replacing";
        public const string Removing = "Removing";

        // Cluster: why a node may not go down now.
        public const string ViewsMissing = "ViewsMissing";
        public const string QuorumAtRisk = "QuorumAtRisk";
        public const string Settling = "Settling";
        public const string ChangeStaged = "ChangeStaged";
        public const string HintsPending = "HintsPending";
        public const string TooSoon = "TooSoon";
        public const string DiskCritical = "DiskCritical";
        public const string DataDamaged = "DataDamaged";
        public const string RolloutStuck = "RolloutStuck";
        public const string BudgetSpent = "BudgetSpent";

        // Cluster: why nodes may not leave now.
        public const string NoSpace = "NoSpace";
        public const string TooFewMembers = "TooFewMembers";
        public const string TooFewZones = "TooFewZones";
        public const string LostNodeIsUp = "LostNodeIsUp";
        public const string DataLoss = "DataLoss";

        // Cluster: why nodes' certificates are not as they should be.
        public const string CertificatesInvalid = "CertificatesInvalid";
        public const string CertificatesExpiring = "CertificatesExpiring";

        // Cluster: what is wrong.
        public const string NoRing = "NoRing";
        public const string NodesDown = "NodesDown";
        public const string NodesUnreachable = "NodesUnreachable";
        public const string NodesLost = "NodesLost";
        public const string Rebuilding = "Rebuilding";
        public const string HandoffStalled = "HandoffStalled";
        public const string TooManyNodesDown = "TooManyNodesDown";
        public const string RingSizeImmutable = "RingSizeImmutable";
        public const string StorageImmutable = "StorageImmutable";
        public const string ZonesImmutable = "ZonesImmutable";
        public const string InvalidSpec = "InvalidSpec";
        public const string TooManyPartitions = "TooManyPartitions";
        public const string NameConflict = "NameConflict";
        public const string ForeignNode = "ForeignNode";
        public const string ForeignStagedChange = "ForeignStagedChange";
        public const string IdentityLost = "IdentityLost";
        public const string RingLost = "RingLost";
        public const string PlanRefused = "PlanRefused";

        // Bucket type.
        public const string ClusterNotFound = "ClusterNotFound";
        public const string ClusterNotReady = "ClusterNotReady";
        public const string ClusterTooSmall = "ClusterTooSmall";
        public const string NotSupported = "NotSupported";
        public const string ReservedName = "ReservedName";
        public const string ImmutableProperty = "ImmutableProperty";
        public const string ExistingType = "ExistingType";
        public const string RefusedByNodes = "RefusedByNodes";
        public const string NotCreated = "NotCreated";
        public const string WaitingForNodes = "WaitingForNodes";
        public const string NotActive = "NotActive";
        public const string Updating = "Updating";
    }
}
