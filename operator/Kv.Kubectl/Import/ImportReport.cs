using Google.Protobuf;

namespace Kv.Kubectl.Import;

/// <summary>
/// What an import has done, bounded: the first buckets by themselves, those that failed before all others, and the others together; and the first keys that were not copied, all of which are in a file. Safe for any number of callers.
/// </summary>
internal sealed class ImportReport(IReadOnlyList<string> source, string cluster, ProblemFile file)
{
    public const int MaxRows = 1000;
    public const int MaxProblems = 1000;

    private readonly Lock gate = new();
    private readonly List<BucketRow> failedRows = [];
    private readonly List<BucketRow> otherRows = [];
    private readonly List<KeyProblem> problems = [];

    public IReadOnlyList<string> Source { get; } = source;

    public string Cluster { get; } = cluster;

    /// <summary>Those that failed first.</summary>
    public IReadOnlyList<BucketRow> Rows => [.. failedRows.Concat(otherRows).Take(MaxRows)];

    public IReadOnlyList<KeyProblem> Problems => problems;

    /// <summary>Where all of them are; null where there are none.</summary>
    public string? ProblemsFile { get; private set; }

    public ImportTally Total { get; } = new();

    public long Buckets { get; private set; }

    /// <summary>Those that were not copied to their end, not counting those whose keys failed one by one.</summary>
    public long FailedBuckets { get; private set; }

    /// <summary>Those whose list, or all of whose work, is of an import before this one.</summary>
    public long ListedBefore { get; private set; }

    /// <summary>Those whose properties are others than in the source, set by somebody.</summary>
    public long BucketsInConflict { get; private set; }

    public long ProblemsLeftOut { get; private set; }

    /// <summary>The import came to the end of what was asked for.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Nothing is left to be tried again.</summary>
    public bool IsDone => HasEnded && Total[KeyFate.Failed] == 0 && FailedBuckets == 0;

    /// <summary>All that was asked for has been looked at by this import, and nothing is left to be tried again.</summary>
    public bool IsWhole => IsDone && ListedBefore == 0;

    /// <summary>After its last key.</summary>
    public void Add(BucketRow row)
    {
        Buckets++;
        FailedBuckets += row.Error is null ? 0 : 1;
        BucketsInConflict += row.PropsInConflict.Count > 0 ? 1 : 0;
        ListedBefore += row.IsListedBefore ? 1 : 0;
        Total.Add(row.Tally);
        var rows = row.HasFailed ? failedRows : otherRows;
        if (rows.Count < MaxRows)
        {
            rows.Add(row);
        }

        if (row.Error is { } error)
        {
            file.Add(row.Bucket, error);
        }
    }

    public void Add(BucketId bucket, ByteString key, KeyResult result)
    {
        var problem = new KeyProblem(bucket, key, result.Fate, result.Reason);
        file.Add(problem);
        lock (gate)
        {
            if (problems.Count < MaxProblems)
            {
                problems.Add(problem);
            }
            else
            {
                ProblemsLeftOut++;
            }
        }
    }

    /// <summary>Nothing is added any more.</summary>
    public void Close()
    {
        if (IsDone && Total[KeyFate.Conflict] + Total[KeyFate.Refused] == 0)
        {
            file.Clear();
        }

        ProblemsFile = file.IsEmpty ? null : file.Path;
    }
}
