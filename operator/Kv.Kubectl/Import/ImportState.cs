using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Import;

/// <summary>
/// How far an import has come, in a directory: `state.jsonl`, to which a line is added for each step (`listed`, `at`, `begun`, `done`), and `keys`, the list of the bucket that is being copied. An import that has ended whole takes both away, so
/// that the next looks at everything again. What it holds of an import before is as old as its listings, of which each line has the time. The first line says between which clusters; a last line that was cut off counts for nothing.
/// </summary>
internal sealed class ImportState : IDisposable
{
    private const int Version = 2;
    private const string FileName = "state.jsonl";

    /// <summary>Of those beyond, an import that goes on takes values that are there for the application's.</summary>
    private const int MaxBegun = 100_000;

    private readonly Lock gate = new();
    private readonly HashSet<(BucketId Bucket, ByteString Key)> begun = [];
    private readonly string directory;
    private readonly FileStream file;
    private readonly Dictionary<BucketId, (ImportTally Tally, DateTimeOffset Listed)> done = [];
    private (BucketId Bucket, long Keys, Guid List, DateTimeOffset Listed, long Offset, ImportTally Tally)? current;
    private bool isBroken;
    private string? problem;

    private ImportState(string directory, FileStream file) => (this.directory, this.file) = (directory, file);

    /// <summary>Whether there is anything of an import before.</summary>
    public bool GoesOn { get; private set; }

    public KeySpool Keys => new(Path.Combine(directory, "keys"));

    /// <summary>Why the state is not kept any more, to be told once; null while it is.</summary>
    public string? TakeProblem() => Interlocked.Exchange(ref problem, null);

    /// <summary>Opens what an import between these two has left, by the same rule for conflicts, or begins anew: also where it is to be, whatever is there.</summary>
    public static ImportState Open(string directory, IReadOnlyList<string> source, string cluster, bool overwrites, bool isAfresh = false)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            Directory.CreateDirectory(directory);
            var state = new ImportState(directory, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            try
            {
                if (isAfresh)
                {
                    state.file.SetLength(0);
                }

                state.Load(path, new JsonObject { ["version"] = Version, ["source"] = JsonText.ListOf(source.Order(StringComparer.Ordinal)), ["cluster"] = cluster, ["overwrites"] = overwrites });
                return state;
            }
            catch
            {
                state.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"{path} cannot be used: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new CliException(ExitCode.Failed, $"{path} is not the state of an import, or is damaged: delete it, or name another directory with --state", e);
        }
    }

    /// <summary>What was not copied, of this import and of those that it goes on from.</summary>
    public ProblemFile OpenProblems()
    {
        try
        {
            return ProblemFile.Open(directory, GoesOn);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"{directory} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>What became of the keys of a bucket that an import before has done, and when it had them listed; null for any other.</summary>
    public (ImportTally Tally, DateTimeOffset Listed)? OfDone(BucketId bucket) => done.TryGetValue(bucket, out var before) ? before : null;

    /// <summary>
    /// Where a bucket's import was cut off: how many keys its list has and since when, where in it the next is, and what became of those before. Null where it has none, or where some of those are to be tried again: they are found by a
    /// list anew.
    /// </summary>
    public (long Keys, DateTimeOffset Listed, long Offset, ImportTally Tally)? Of(BucketId bucket) =>
        current is { } at && at.Bucket == bucket && at.Tally[KeyFate.Failed] == 0 && Keys.Holds(at.List, at.Offset) ? (at.Keys, at.Listed, at.Offset, at.Tally) : null;

    /// <summary>The list of keys is whole; it was begun at that time.</summary>
    public void Listed(BucketId bucket, long keys, Guid list, DateTimeOffset time)
    {
        var line = LineOf(bucket, "listed", keys);
        (line["list"], line["time"]) = (list, TextOf(time));
        Add(line);
    }

    /// <summary>Those before the offset have met their fate.</summary>
    public void At(BucketId bucket, long offset, ImportTally tally) => Add(LineOf(bucket, "at", offset), tally);

    /// <summary>All of its keys have met a fate that another try would not change.</summary>
    public void Done(BucketId bucket, ImportTally tally, DateTimeOffset listed)
    {
        begun.RemoveWhere(one => one.Bucket == bucket);
        var line = LineOf(bucket, "done", tally.Done);
        line["time"] = TextOf(listed);
        Add(line, tally);
    }

    /// <summary>Of the key's values some were written, and it is not known that all were. Safe for any number of callers.</summary>
    public void Begun(BucketId bucket, ByteString key)
    {
        lock (gate)
        {
            if (begun.Count < MaxBegun && begun.Add((bucket, key)))
            {
                Add(LineOf(bucket, "begun", key.ToBase64()));
            }
        }
    }

    /// <summary>Whether this import, or one before that it goes on from, has said so.</summary>
    public bool IsBegun(BucketId bucket, ByteString key)
    {
        lock (gate)
        {
            return begun.Contains((bucket, key));
        }
    }

    /// <summary>As people and programs read it.</summary>
    public static string TextOf(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The import has ended whole: the next looks at everything again.</summary>
    public void Delete()
    {
        file.Dispose();
        try
        {
            File.Delete(Path.Combine(directory, FileName));
            File.Delete(Path.Combine(directory, "keys"));
            if (!Directory.EnumerateFileSystemEntries(directory).Any())
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"the import has ended, and {directory} cannot be taken away (the next would go on from there: --afresh): {e.Message}", e);
        }
    }

    public void Dispose() => file.Dispose();

    private void Load(string path, JsonObject header)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        file.SetLength(whole);
        file.Position = whole;
        var lines = Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0)
        {
            Add(header);
            return;
        }

        var found = JsonNode.Parse(lines[0])!.AsObject();
        if (!JsonNode.DeepEquals(found, header))
        {
            throw new CliException(ExitCode.Failed, $"{path} is of another import: {found.ToJsonString(JsonText.Compact)}; name another directory with --state, or delete it");
        }

        GoesOn = lines.Length > 1;
        foreach (var line in lines.Skip(1))
        {
            Take(JsonNode.Parse(line)!.AsObject());
        }
    }

    private void Take(JsonObject line)
    {
        var bucket = new BucketId(line["type"]!.GetValue<string>(), ByteString.FromBase64(line["bucket"]!.GetValue<string>()));
        if (line["listed"] is { } listed)
        {
            current = (bucket, listed.GetValue<long>(), line["list"]!.GetValue<Guid>(), TimeOf(line), KeySpool.Start, new ImportTally());
        }
        else if (line["at"] is { } offset && current is { } before && before.Bucket == bucket)
        {
            current = (bucket, before.Keys, before.List, before.Listed, offset.GetValue<long>(), ImportTally.Of(line["tally"]!.AsObject()));
        }
        else if (line["done"] is not null)
        {
            done[bucket] = (ImportTally.Of(line["tally"]!.AsObject()), TimeOf(line));
            begun.RemoveWhere(one => one.Bucket == bucket);
            current = null;
        }
        else if (line["begun"] is { } key)
        {
            begun.Add((bucket, ByteString.FromBase64(key.GetValue<string>())));
        }
    }

    private static DateTimeOffset TimeOf(JsonObject line) => DateTimeOffset.Parse(line["time"]!.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static JsonObject LineOf(BucketId bucket, string step, JsonNode value) => new() { ["type"] = bucket.Type, ["bucket"] = bucket.Name.ToBase64(), [step] = value };

    private void Add(JsonObject line, ImportTally tally)
    {
        line["tally"] = tally.ToJson();
        Add(line);
    }

    /// <summary>Where it cannot be written, the import goes on without: what it did is found to be done the next time all the same.</summary>
    private void Add(JsonObject line)
    {
        if (isBroken)
        {
            return;
        }

        try
        {
            file.Write(Encoding.UTF8.GetBytes(line.ToJsonString(JsonText.Compact) + "\n"));
            file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            isBroken = true;
            problem = $"{Path.Combine(directory, FileName)} cannot be written ({e.Message}): an import that is done again looks at all keys again";
        }
    }
}
