using System.Text;
using System.Text.Json.Nodes;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Import;

/// <summary>
/// All keys and buckets that were not copied, a line of JSON each, in `problems.jsonl` of the state's directory: the report has the first alone. An import that goes on adds to it, so a key that failed may be copied since; one that begins anew
/// begins it anew. Safe for any number of callers.
/// </summary>
internal sealed class ProblemFile : IDisposable
{
    private const string FileName = "problems.jsonl";

    private readonly Lock gate = new();
    private readonly FileStream file;
    private bool isBroken;
    private string? trouble;

    private ProblemFile(string path, FileStream file) => (Path, this.file) = (path, file);

    public string Path { get; }

    /// <summary>Neither this import nor one that it goes on from has a line in it.</summary>
    public bool IsEmpty => file.Length == 0;

    /// <summary>Fails as a file's opening does.</summary>
    public static ProblemFile Open(string directory, bool goesOn)
    {
        var path = System.IO.Path.Combine(directory, FileName);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.SetLength(goesOn ? file.Length : 0);
        file.Position = file.Length;
        return new ProblemFile(path, file);
    }

    /// <summary>Why it is not written any more, to be told once; null while it is.</summary>
    public string? TakeTrouble() => Interlocked.Exchange(ref trouble, null);

    public void Add(KeyProblem problem) => Add(ImportOutput.ToJson(problem));

    /// <summary>A bucket that was not copied, or not to its end.</summary>
    public void Add(BucketId bucket, string reason)
    {
        var line = new JsonObject { ["type"] = bucket.Type };
        JsonText.Add(line, "bucket", bucket.Name.Span);
        line["reason"] = reason;
        Add(line);
    }

    /// <summary>All that is in it was copied since.</summary>
    public void Clear() => file.SetLength(0);

    /// <summary>Takes it away where nothing is in it.</summary>
    public void Dispose()
    {
        var isEmpty = IsEmpty;
        file.Dispose();
        try
        {
            if (isEmpty)
            {
                File.Delete(Path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, empty.
        }
    }

    private void Add(JsonObject line)
    {
        line["time"] = ImportState.TextOf(DateTimeOffset.UtcNow);
        lock (gate)
        {
            if (isBroken)
            {
                return;
            }

            try
            {
                file.Write(Encoding.UTF8.GetBytes(line.ToJsonString(JsonText.Compact) + "\n"));
            }
            catch (IOException e)
            {
                isBroken = true;
                trouble = $"{Path} cannot be written ({e.Message}): what is not copied from here on is not in it";
            }
        }
    }
}
