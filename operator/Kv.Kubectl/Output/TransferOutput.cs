using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Transfers of partitions, as table and as JSON.</summary>
internal static class TransferOutput
{
    public static void Print(TablePrinter printer, IReadOnlyList<Transfer> transfers) => printer.Print(
        ["#partition", "kind", "state", "from", "to", "#objects", "#sent", "#idle", "error"],
        transfers.Select(transfer => new[]
        {
            Words.Number(transfer.Partition),
            Words.Of(transfer.Kind),
            Words.Of(transfer.State),
            transfer.From,
            transfer.To,
            transfer.ObjectsTotal > 0 ? $"{Words.Number(transfer.ObjectsSent)}/~{Words.Number(transfer.ObjectsTotal)}" : Words.Number(transfer.ObjectsSent),
            Words.Bytes(transfer.BytesSent),
            $"{Words.Number(transfer.SecondsSinceProgress)} s",
            transfer.LastError,
        }));

    public static JsonArray ToJson(IEnumerable<Transfer> transfers) => new([.. transfers.Select(transfer => new JsonObject
    {
        ["kind"] = Words.Of(transfer.Kind),
        ["state"] = Words.Of(transfer.State),
        ["partition"] = transfer.Partition,
        ["from"] = transfer.From,
        ["to"] = transfer.To,
        ["objectsSent"] = transfer.ObjectsSent,
        ["bytesSent"] = transfer.BytesSent,
        ["objectsTotal"] = transfer.ObjectsTotal,
        ["secondsSinceProgress"] = transfer.SecondsSinceProgress,
        ["lastError"] = transfer.LastError.Length == 0 ? null : transfer.LastError,
    })]);
}
