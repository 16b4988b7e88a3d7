using System.Globalization;
using System.Text.Json.Nodes;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Members as <c>riak admin member-status</c> prints them (reference 11.1), with zone, and who cannot be reached.</summary>
internal static class MemberStatusOutput
{
    /// <summary>In the order of Riak's count of them.</summary>
    private static readonly MemberState[] States = [MemberState.Valid, MemberState.Leaving, MemberState.Exiting, MemberState.Joining, MemberState.Down];

    public static void Print(TablePrinter printer, Cluster cluster)
    {
        printer.Line(RiakText.Title("Membership"));
        printer.Line("Status     Ring    Pending    Node");
        printer.Line(RiakText.Rule);
        foreach (var member in InOrder(cluster))
        {
            var pending = cluster.PendingTransfers == 0 ? "--  " : string.Create(CultureInfo.InvariantCulture, $"{Percent(cluster, member.NextPartitions):0.0}%");
            printer.Line(string.Create(
                CultureInfo.InvariantCulture, $"{Words.Of(member.State),-8}  {Percent(cluster, member.Partitions),5:0.0}%    {pending,6}    '{member.Name}'{NoteOf(member)}"));
        }

        printer.Line(RiakText.Rule);
        printer.Line(string.Join(" / ", States.Select(state => $"{state}:{Words.Number(cluster.Members.Count(member => member.State == state))}")));
    }

    public static JsonObject ToJson(Cluster cluster)
    {
        var counts = new JsonObject();
        foreach (var state in States)
        {
            counts[Words.Of(state)] = cluster.Members.Count(member => member.State == state);
        }

        return new JsonObject
        {
            ["members"] = new JsonArray([.. InOrder(cluster).Select(member => new JsonObject
            {
                ["name"] = member.Name,
                ["status"] = Words.Of(member.State),
                ["ringPercent"] = Percent(cluster, member.Partitions),
                ["pendingPercent"] = Percent(cluster, member.NextPartitions),
                ["zone"] = member.Zone,
                ["up"] = member.Up,
            })]),
            ["counts"] = counts,
        };
    }

    private static IEnumerable<Member> InOrder(Cluster cluster) => cluster.Members.OrderBy(member => member.Name, StringComparer.Ordinal);

    private static double Percent(Cluster cluster, int partitions) => cluster.RingSize == 0 ? 0 : 100.0 * partitions / cluster.RingSize;

    private static string NoteOf(Member member)
    {
        var notes = new[] { member.Zone.Length == 0 ? "" : $"zone {member.Zone}", member.Up ? "" : "unreachable" }.Where(note => note.Length > 0).ToList();
        return notes.Count == 0 ? "" : $" ({string.Join(", ", notes)})";
    }
}
