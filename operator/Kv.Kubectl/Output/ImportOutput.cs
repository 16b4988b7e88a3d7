using System.Text.Json.Nodes;
using Kv.Kubectl.Import;

namespace Kv.Kubectl.Output;

/// <summary>What an import has done, as a table and as JSON, and its exit code.</summary>
internal static class ImportOutput
{
    private const int MaxLines = 20;

    private static readonly KeyFate[] Fates = Enum.GetValues<KeyFate>();

    public static ExitCode CodeOf(ImportReport report) =>
        report.Total[KeyFate.Failed] > 0 ? ExitCode.Unavailable
        : report.FailedBuckets + report.BucketsInConflict + report.Total[KeyFate.Conflict] + report.Total[KeyFate.Refused] > 0 ? ExitCode.Failed
        : report.ListedBefore > 0 ? ExitCode.Unavailable
        : ExitCode.Ok;

    public static void Print(TablePrinter tables, ImportReport report)
    {
        var rows = report.Rows.Select(row => Row(row.Bucket.Type, Escape.NameOf(row.Bucket.Name), row.Keys is { } keys ? Words.Number(keys) : "", row.Tally, StateOf(row))).ToList();
        if (report.Buckets != 1)
        {
            rows.Add(Row("", Words.Count(report.Buckets, "bucket"), "", report.Total, ""));
        }

        tables.Print(["type", "bucket", "#keys", .. Fates.Select(fate => "#" + ImportTally.NameOf(fate)), "state"], rows);
    }

    /// <summary>What people have to know beside the table; the first of it.</summary>
    public static IEnumerable<string> ProblemLines(ImportReport report)
    {
        List<string> lines =
        [
            .. report.Rows.Where(row => row.Error is not null).Select(row => $"{row.Bucket}: {row.Error}"),
            .. AgeLines(report),
            .. report.Rows.Where(row => row.PropsInConflict.Count > 0).Select(row => $"{row.Bucket}: conflict: it has properties of its own here, so none was set (--on-conflict overwrite sets them): {string.Join(", ", row.PropsInConflict)}"),
            .. report.Rows.Where(row => row.Props.Count > 0).Select(row => $"{row.Bucket}: set {string.Join(", ", row.Props)} as in the source"),
            .. report.Rows.SelectMany(row => row.Notes.Select(note => $"{row.Bucket}: {note}")),
            .. report.Problems.Select(problem => $"{problem.Bucket}/{Escape.NameOf(problem.Key)}: {ImportTally.NameOf(problem.Fate)}: {problem.Reason}"),
        ];
        var rest = lines.Count - MaxLines + report.ProblemsLeftOut;
        var first = lines.Count <= MaxLines && report.ProblemsLeftOut == 0 ? lines : lines.Take(MaxLines).Append($"and {Words.Count(rest, "line")} more");
        return report.ProblemsFile is { } file ? first.Append($"all that was not copied is in {file}") : first;
    }

    /// <summary>What this import has not looked at.</summary>
    private static IEnumerable<string> AgeLines(ImportReport report)
    {
        if (report.ListedBefore > 0)
        {
            yield return $"{Words.Count(report.ListedBefore, "bucket")} listed by an import before this one: run once more to see what was written since";
            foreach (var row in report.Rows.Where(row => row.IsListedBefore))
            {
                yield return $"{row.Bucket}: {(row.WasDone ? "done before, and listed" : "listed")} at {ImportState.TextOf(row.Listed!.Value)}, {AgeOf(DateTimeOffset.UtcNow - row.Listed.Value)} ago";
            }
        }
    }

    private static string AgeOf(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => $"{(long)age.TotalDays} days",
        { TotalHours: >= 2 } => $"{(long)age.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(long)age.TotalMinutes} minutes",
        _ => $"{Math.Max(0, (long)age.TotalSeconds)} s",
    };

    public static JsonObject ToJson(ImportReport report)
    {
        var json = new JsonObject
        {
            ["source"] = JsonText.ListOf(report.Source),
            ["cluster"] = report.Cluster,
            ["complete"] = report.IsWhole,
            ["bucketCount"] = report.Buckets,
            ["failedBuckets"] = report.FailedBuckets,
            ["bucketsListedBefore"] = report.ListedBefore,
            ["total"] = report.Total.ToJson(),
            ["buckets"] = new JsonArray([.. report.Rows.Select(ToJson)]),
            ["problems"] = new JsonArray([.. report.Problems.Select(ToJson)]),
            ["problemsLeftOut"] = report.ProblemsLeftOut,
            ["problemsFile"] = report.ProblemsFile,
        };
        return json;
    }

    private static List<string> Row(string type, string bucket, string keys, ImportTally tally, string state) =>
        [type, bucket, keys, .. Fates.Select(fate => Words.Number(tally[fate])), state];

    private static string StateOf(BucketRow row) => row.WasDone ? "done before" : row.Error == BucketRow.Interrupted ? BucketRow.Interrupted : row.HasFailed ? "failed" : "done";

    private static JsonObject ToJson(BucketRow row)
    {
        var json = new JsonObject { ["type"] = row.Bucket.Type };
        JsonText.Add(json, "bucket", row.Bucket.Name.Span);
        json["keys"] = row.Keys;
        json["listed"] = row.Listed is { } listed ? ImportState.TextOf(listed) : null;
        json["listedBefore"] = row.IsListedBefore;
        json["doneBefore"] = row.WasDone;
        foreach (var (name, count) in row.Tally.ToJson().ToList())
        {
            json[name] = count!.DeepClone();
        }

        json["props"] = JsonText.ListOf(row.Props);
        json["propsInConflict"] = JsonText.ListOf(row.PropsInConflict);
        json["notes"] = JsonText.ListOf(row.Notes);
        json["error"] = row.Error;
        return json;
    }

    public static JsonObject ToJson(KeyProblem problem)
    {
        var json = new JsonObject { ["type"] = problem.Bucket.Type };
        JsonText.Add(json, "bucket", problem.Bucket.Name.Span);
        JsonText.Add(json, "key", problem.Key.Span);
        json["fate"] = ImportTally.NameOf(problem.Fate);
        json["reason"] = problem.Reason;
        return json;
    }
}
