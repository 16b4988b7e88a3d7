using System.Diagnostics;
using Google.Protobuf;
using Kv.Cluster.AntiEntropy;
using Kv.Core.Rings;
using Proto = Kv.Protos.Admin.V1;

namespace Kv.Wire.Admin;

/// <summary><see cref="AntiEntropyView"/> → the message of `admin.v1`.</summary>
internal static class AntiEntropyCodec
{
    public static Proto.AntiEntropy Encode(AntiEntropyView view, Func<NodeId, string> nameOf) => new()
    {
        On = view.IsOn,
        Trees = { view.Trees.Select(Encode) },
        Exchanges = { view.Exchanges.Select(exchange => Encode(exchange, nameOf)) },
        KeyRepair = view.KeyRepair is { } repair ? Encode(repair) : null,
    };

    private static Proto.KeyRepair Encode(KeyRepairView repair) => new()
    {
        BucketType = repair.Bucket.BucketType,
        Bucket = ByteString.CopyFrom(repair.Bucket.Bucket.Span),
        From = ByteString.CopyFrom(repair.From.Span),
        To = ByteString.CopyFrom(repair.To.Span),
        Running = repair.IsRunning,
        MillisecondsTaken = (long)repair.Took.TotalMilliseconds,
        Partitions = repair.Vnodes,
        AllPartitions = repair.AllVnodes,
        KeysFound = repair.KeysFound,
        KeysRepaired = repair.KeysRepaired,
        KeysNotRepaired = repair.KeysNotRepaired,
        LastError = repair.LastError,
    };

    private static Proto.HashTrees Encode(TreeView tree) => new()
    {
        Partition = tree.Partition.Number,
        State = tree.State switch
        {
            TreeState.Waiting => Proto.HashTrees.Types.State.Waiting,
            TreeState.Building => Proto.HashTrees.Types.State.Building,
            TreeState.Built => Proto.HashTrees.Types.State.Built,
            _ => throw new UnreachableException(),
        },
        BuiltAt = tree.BuiltAt?.ToUnixTimeSeconds() ?? 0,
        LastError = tree.LastError,
    };

    private static Proto.Exchange Encode(ExchangeView exchange, Func<NodeId, string> nameOf) => new()
    {
        State = exchange.State switch
        {
            ExchangeState.Waiting => Proto.Exchange.Types.State.Waiting,
            ExchangeState.Running => Proto.Exchange.Types.State.Running,
            ExchangeState.Failed => Proto.Exchange.Types.State.Failed,
            _ => throw new UnreachableException(),
        },
        Partition = exchange.Partition.Number,
        PeerPartition = exchange.PeerPartition.Number,
        Peer = nameOf(exchange.Peer),
        FirstPartition = exchange.First.Number,
        NVal = exchange.NVal,
        MillisecondsSinceEnd = exchange.SinceEnd is { } since ? (long)since.TotalMilliseconds : -1,
        MillisecondsTaken = (long)exchange.Took.TotalMilliseconds,
        KeysFound = exchange.KeysFound,
        KeysRepaired = exchange.KeysRepaired,
        LastError = exchange.LastError,
        Wanted = exchange.IsWanted,
    };
}
