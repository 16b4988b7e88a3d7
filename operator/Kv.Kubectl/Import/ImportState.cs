using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Import;

/// <summary>
/// How far an import has come, in a directory: `state.jsonl`, to which a line is added for each step (`listed`, `at`, `done`), and `keys`, the list of the bucket that is being copied. An import that has ended whole takes both away, so
/// that the next looks at everything again. The first line says between which clusters; a last line that was cut off counts for nothing.
/// </summary>
internal sealed class ImportState : IDisposable
{
    private const int Version = 1;
    private const string FileName = "state.jsonl";

    private readonly string directory;
    private readonly FileStream file;
    private readonly Dictionary<BucketId, ImportTally> done = [];
    private (BucketId Bucket, long Keys, Guid List, long Offset, ImportTally Tally)? current;
    private bool isBroken;
    private string? problem;

    private ImportState(string directory, FileStream file) => (this.directory, this.file) = (directory, file);

    public KeySpool Keys => new(Path.Combine(directory, "keys"));

    /// <summary>Why the state is not kept any more, to be told once; null while it is.</summary>
    public string? TakeProblem() => Interlocked.Exchange(ref problem, null);

    /// <summary>Opens what an import between these two has left, by the same rule for conflicts, or begins anew.</summary>
    public static ImportState Open(string directory, IReadOnlyList<string> source, string cluster, bool overwrites)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            Directory.CreateDirectory(directory);
            var state = new ImportState(directory, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            try
            {
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

    /// <summary>What became of the keys of a bucket that is done; null for any other.</summary>
    public ImportTally? OfDone(BucketId bucket) => done.GetValueOrDefault(bucket);

    /// <summary>Where a bucket's import was cut off: how many keys its list has, where in it the next is, and what became of those before. Null where it has none, or where some of those are to be tried again.</summary>
    public (long Keys, long Offset, ImportTally Tally)? Of(BucketId bucket) =>
        current is { } at && at.Bucket == bucket && at.Tally[KeyFate.Failed] == 0 && Keys.Holds(at.List, at.Offset) ? (at.Keys, at.Offset, at.Tally) : null;

    /// <summary>The list of keys is whole.</summary>
    public void Listed(BucketId bucket, long keys, Guid list)
    {
        var line = LineOf(bucket, "listed", keys);
        line["list"] = list;
        Add(line);
    }

    /// <summary>Those before the offset have met their fate.</summary>
    public void At(BucketId bucket, long offset, ImportTally tally) => Add(LineOf(bucket, "at", offset), tally);

    /// <summary>All of its keys have met a fate that another try would not change.</summary>
    public void Done(BucketId bucket, ImportTally tally) => Add(LineOf(bucket, "done", tally.Done), tally);

    /// <summary>The import has ended whole.</summary>
    public void Delete()
    {
        file.Dispose();
        File.Delete(Path.Combine(directory, FileName));
        File.Delete(Path.Combine(directory, "keys"));
        if (!Directory.EnumerateFileSystemEntries(directory).Any())
        {
            Directory.Delete(directory);
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
            current = (bucket, listed.GetValue<long>(), line["list"]!.GetValue<Guid>(), KeySpool.Start, new ImportTally());
        }
        else if (line["at"] is { } offset && current is { } before && before.Bucket == bucket)
        {
            current = (bucket, before.Keys, before.List, offset.GetValue<long>(), ImportTally.Of(line["tally"]!.AsObject()));
        }
        else if (line["done"] is not null)
        {
            done[bucket] = ImportTally.Of(line["tally"]!.AsObject());
            current = null;
        }
    }

    private static JsonObject LineOf(BucketId bucket, string step, long value) => new() { ["type"] = bucket.Type, ["bucket"] = bucket.Name.ToBase64(), [step] = value };

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
