using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Connections;

/// <summary>
/// Transfers as members tell of them. Every member tells of every ownership transfer that is to come, and only the one that sends knows how it goes: its word is taken, and another's
/// where it does not answer.
/// </summary>
internal static class ToldTransfers
{
    public static List<Transfer> Merge(IEnumerable<(string Teller, Transfers Told)> answers) =>
    [
        .. answers.SelectMany(answer => answer.Told.Transfers_.Select(transfer => (answer.Teller, Transfer: transfer)))
            .GroupBy(told => (told.Transfer.Partition, told.Transfer.Kind, told.Transfer.From, told.Transfer.To))
            .Select(told => told.OrderByDescending(one => one.Teller == one.Transfer.From).First().Transfer)
            .OrderBy(transfer => transfer.Partition)
            .ThenBy(transfer => transfer.Kind),
    ];
}
