using System.Text.Json.Nodes;
using Kv.Kubectl.Diagnosis;

namespace Kv.Kubectl.Output;

/// <summary>Findings as <c>riak admin diag</c> prints them, the worst first, and as JSON.</summary>
internal static class DiagnosisOutput
{
    public static void Print(TablePrinter printer, IReadOnlyCollection<(string Check, Finding Finding)> found)
    {
        if (found.Count == 0)
        {
            printer.Line("No diagnostic messages to report.");
        }

        foreach (var (check, finding) in InOrder(found))
        {
            printer.Line($"[{LevelOf(finding)}] {check}: {Escape.Cell(finding.Text)}");
        }
    }

    public static void Print(TablePrinter printer, IEnumerable<DiagnosticCheck> checks)
    {
        printer.Line("Available diagnostic checks:");
        printer.Line();
        printer.Print(["check", "looks for"], checks.Select(check => new[] { check.Name, check.Description }));
    }

    public static JsonObject ToJson(IEnumerable<(string Check, Finding Finding)> found) => new()
    {
        ["findings"] = new JsonArray([.. InOrder(found).Select(one => new JsonObject
        {
            ["level"] = LevelOf(one.Finding),
            ["check"] = one.Check,
            ["text"] = one.Finding.Text,
        })]),
    };

    public static JsonObject ToJson(IEnumerable<DiagnosticCheck> checks) => new()
    {
        ["checks"] = new JsonArray([.. checks.Select(check => new JsonObject { ["name"] = check.Name, ["description"] = check.Description })]),
    };

    private static IEnumerable<(string Check, Finding Finding)> InOrder(IEnumerable<(string Check, Finding Finding)> found) => found.OrderByDescending(one => one.Finding.Level);

    private static string LevelOf(Finding finding) => finding.Level.ToString().ToLowerInvariant();
}
