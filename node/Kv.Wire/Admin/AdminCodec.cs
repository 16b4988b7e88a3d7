using System.Collections.Immutable;
using System.Diagnostics;
using Google.Protobuf;
using Kv.Cluster.Handoff;
using Kv.Cluster.Membership;
using Kv.Core.Rings;
using CoreState = Kv.Core.Membership.MemberState;
using CoreStaged = Kv.Core.Membership.StagedChange;
using Proto = Kv.Protos.Admin.V1;

namespace Kv.Wire.Admin;

/// <summary>The views of <see cref="ClusterAdmin"/> → the messages of `admin.v1`.</summary>
internal static class AdminCodec
{
    public static Proto.Cluster Encode(ClusterView view)
    {
        var document = view.Document;
        var message = new Proto.Cluster
        {
            ClusterId = document.ClusterId.ToString(),
            ClusterName = document.ClusterName,
            DocumentVersion = document.Version,
            RingSize = document.Ring.Size,
            PendingTransfers = view.PendingTransfers,
            Converged = view.IsConverged,
            LastCommittedPlanId = document.LastCommittedPlanId,
            Claimant = document.FindMember(view.Claimant)?.Name ?? "",
        };
        var positions = new Dictionary<NodeId, uint>();
        foreach (var member in view.Members)
        {
            positions[member.Node.Id] = (uint)message.Members.Count;
            message.Members.Add(Encode(member));
        }

        message.Owners.AddRange(document.Ring.Owners.Select(owner => positions[owner]));
        message.NextOwners.AddRange(document.Ring.NextOwners.Select(owner => positions[owner]));
        message.Staged.AddRange(document.Staged.Select(staged => Encode(staged, document)));
        message.Rebuilding.AddRange(document.Ring.Rebuilding.Select(p => (uint)p.Number));
        return message;
    }

    public static Proto.Plan Encode(PlanView view)
    {
        var message = new Proto.Plan
        {
            PlanId = view.PlanId,
            DocumentVersion = view.Document.Version,
            Transfers = view.Transfers,
            Rebuilds = view.Rebuilding.Length,
        };
        message.Lost.AddRange(view.Lost.Select(lost => new Proto.LostKeys { NVal = lost.NVal, Ranges = lost.Ranges }));
        message.Staged.AddRange(view.Document.Staged.Select(staged => Encode(staged, view.Document)));
        message.Members.AddRange(view.Members.Select(member => new Proto.PlannedMember
        {
            Name = member.Name,
            Zone = member.Zone,
            State = member.StateAfter is { } after ? Encode(after) : Proto.MemberState.Removed,
            PartitionsNow = member.PartitionsNow,
            PartitionsAfter = member.PartitionsAfter,
        }));
        message.Warnings.AddRange(view.Warnings);
        return message;
    }

    public static Proto.Node Encode(NodeView view, NodeFacts facts, TimeSpan uptime, DateTimeOffset now)
    {
        var message = new Proto.Node
        {
            Id = view.Node.Id.ToString(),
            Name = view.Node.Name,
            Zone = view.Node.Zone,
            Version = facts.Version,
            ClusterId = view.ClusterId?.ToString() ?? "",
            ClusterName = view.ClusterName,
            DataBytes = facts.DataBytes(),
            DiskFreeBytes = facts.DiskFreeBytes(),
            UptimeSeconds = (long)uptime.TotalSeconds,
            FormatVersion = facts.FormatVersion,
            Draining = view.IsDraining,
            Removed = view.IsRemoved,
            HeldPartitions = view.Held,
            HeldForOthers = view.HeldForOthers,
            UnixMilliseconds = now.ToUnixTimeMilliseconds(),
            MemoryLimitBytes = facts.MemoryLimitBytes,
            MemoryBytes = facts.MemoryBytes(),
        };
        if (facts.Certificate?.Invoke() is { } life)
        {
            (message.CertificateNotBefore, message.CertificateNotAfter) = (life.NotBefore.ToUnixTimeSeconds(), life.NotAfter.ToUnixTimeSeconds());
        }

        message.Endpoints.Add(view.Node.Endpoints);
        message.Damaged.AddRange(view.Damaged.Select(damage => new Proto.DamagedPartition { Partition = damage.Key.Number, Reason = damage.Value }));
        return message;
    }

    public static Proto.Transfers Encode(ImmutableArray<TransferView> transfers, Func<NodeId, string> nameOf)
    {
        var message = new Proto.Transfers();
        message.Transfers_.AddRange(transfers.Select(transfer => new Proto.Transfer
        {
            Kind = transfer.Kind switch
            {
                TransferKind.Ownership => Proto.Transfer.Types.Kind.Ownership,
                TransferKind.Hinted => Proto.Transfer.Types.Kind.Hinted,
                TransferKind.Rebuild => Proto.Transfer.Types.Kind.Rebuild,
                _ => throw new UnreachableException(),
            },
            State = transfer.State switch
            {
                TransferState.Waiting => Proto.Transfer.Types.State.Waiting,
                TransferState.Running => Proto.Transfer.Types.State.Running,
                TransferState.Failed => Proto.Transfer.Types.State.Failed,
                _ => throw new UnreachableException(),
            },
            Partition = transfer.Partition.Number,
            From = nameOf(transfer.From),
            To = nameOf(transfer.To),
            ObjectsSent = transfer.ObjectsSent,
            BytesSent = transfer.BytesSent,
            ObjectsTotal = transfer.ObjectsTotal,
            SecondsSinceProgress = (long)transfer.SinceProgress.TotalSeconds,
            LastError = transfer.LastError,
        }));
        return message;
    }

    public static Proto.DrainStatus Encode(DrainView view) => new()
    {
        Draining = view.IsDraining,
        Done = view.IsDone,
        RequestsUnderWay = view.RequestsUnderWay,
        HintsToReturn = view.HintsToReturn,
        HintsToKeep = view.HintsToKeep,
    };

    public static Proto.Peer Encode(PeerView view, string name, long documentVersion) => new()
    {
        Id = view.Node.ToString(),
        Name = name,
        Up = view.IsUp,
        MillisecondsInState = (long)view.InState.TotalMilliseconds,
        MillisecondsSinceAnswer = view.SinceAnswer is { } since ? (long)since.TotalMilliseconds : -1,
        DocumentVersion = documentVersion,
    };

    public static Proto.Preflist Encode(PreflistView view, Func<NodeId, string> nameOf) => new()
    {
        FirstPartition = view.First.Number,
        NVal = view.NVal,
        Alive = view.Alive,
        Primaries = { view.Primaries.Select(nameOf) },
    };

    public static Proto.BucketType Encode(BucketTypeView view)
    {
        var message = new Proto.BucketType
        {
            Name = view.Name,
            State = view.Stage switch
            {
                BucketTypeStage.Created => Proto.BucketType.Types.State.Created,
                BucketTypeStage.Ready => Proto.BucketType.Types.State.Ready,
                BucketTypeStage.Active => Proto.BucketType.Types.State.Active,
                _ => throw new UnreachableException(),
            },
            PropsJson = PropsText.Of(view.Props),
        };
        message.MissingOn.AddRange(view.MissingOn);
        return message;
    }

    public static Proto.StrictBucket Encode(StrictBucket view) => new()
    {
        BucketType = view.Bucket.BucketType,
        Bucket = ByteString.CopyFrom(view.Bucket.Bucket.Span),
        NVal = view.NVal,
        Quorum = view.Quorum,
    };

    private static Proto.Member Encode(MemberView view)
    {
        var message = new Proto.Member
        {
            Id = view.Node.Id.ToString(),
            Name = view.Node.Name,
            Zone = view.Node.Zone,
            State = Encode(view.Node.State),
            Partitions = view.Partitions,
            NextPartitions = view.NextPartitions,
            Up = view.IsUp,
            DocumentVersion = view.DocumentVersion,
        };
        message.Endpoints.Add(view.Node.Endpoints);
        return message;
    }

    private static Proto.StagedChange Encode(CoreStaged staged, Core.Membership.ClusterDocument document) => new()
    {
        Kind = staged switch
        {
            CoreStaged.Join => Proto.StagedChange.Types.Kind.Join,
            CoreStaged.Leave => Proto.StagedChange.Types.Kind.Leave,
            CoreStaged.Replace => Proto.StagedChange.Types.Kind.Replace,
            CoreStaged.Remove => Proto.StagedChange.Types.Kind.Remove,
            _ => throw new UnreachableException(),
        },
        NodeId = staged.Node.ToString(),
        NodeName = document.FindMember(staged.Node)?.Name ?? "",
        ReplacesId = staged is CoreStaged.Replace replace ? replace.Dead.ToString() : "",
    };

    private static Proto.MemberState Encode(CoreState state) => state switch
    {
        CoreState.Joining => Proto.MemberState.Joining,
        CoreState.Valid => Proto.MemberState.Valid,
        CoreState.Leaving => Proto.MemberState.Leaving,
        CoreState.Exiting => Proto.MemberState.Exiting,
        CoreState.Down => Proto.MemberState.Down,
        _ => throw new UnreachableException(),
    };
}
