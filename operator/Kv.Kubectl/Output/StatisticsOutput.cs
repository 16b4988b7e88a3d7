using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kv.Kubectl.Output;

/// <summary>Statistics as <c>riak admin status</c> prints them: a name and a value on each line, for people and for <c>grep</c>.</summary>
internal static class StatisticsOutput
{
    private const int RuleWidth = 43;

    public static void Print(TablePrinter printer, JsonObject statistics)
    {
        printer.Line($"1-minute stats for {TextOf(statistics["nodename"])}");
        printer.Line(new string('-', RuleWidth));
        foreach (var (name, value) in statistics)
        {
            printer.Line($"{name} : {TextOf(value)}");
        }
    }

    private static string TextOf(JsonNode? value) => value switch
    {
        null => "undefined",
        JsonArray list => $"[{string.Join(',', list.Select(TextOf))}]",
        JsonValue text when text.GetValueKind() == JsonValueKind.String => $"'{Escape.Cell(text.GetValue<string>())}'",
        _ => value.ToJsonString(JsonText.Compact),
    };
}
