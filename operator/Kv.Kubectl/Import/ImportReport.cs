using Google.Protobuf;

namespace Kv.Kubectl.Import;

/// <summary>What an import has done, bounded: the first buckets by themselves and the others together, and the first keys that were not copied. Safe for any number of callers.</summary>
internal sealed class ImportReport(IReadOnlyList<string> source, string cluster)
{
    public const int MaxRows = 1000;
    public const int MaxProblems = 1000;

    private readonly Lock gate = new();
    private readonly List<BucketRow> rows = [];
    private readonly List<KeyProblem> problems = [];

    public IReadOnlyList<string> Source { get; } = source;

    public string Cluster { get; } = cluster;

    public IReadOnlyList<BucketRow> Rows => rows;

    public IReadOnlyList<KeyProblem> Problems => problems;

    public ImportTally Total { get; } = new();

    public long Buckets { get; private set; }

    public long FailedBuckets { get; private set; }

    public long ProblemsLeftOut { get; private set; }

    /// <summary>All that was asked for has been looked at, and nothing is left to be tried again.</summary>
    public bool IsWhole { get; set; }

    /// <summary>After its last key.</summary>
    public void Add(BucketRow row)
    {
        Buckets++;
        FailedBuckets += row.Error is null ? 0 : 1;
        Total.Add(row.Tally);
        if (rows.Count < MaxRows)
        {
            rows.Add(row);
        }
    }

    public void Add(BucketId bucket, ByteString key, KeyResult result)
    {
        lock (gate)
        {
            if (problems.Count < MaxProblems)
            {
                problems.Add(new KeyProblem(bucket, key, result.Fate, result.Reason));
            }
            else
            {
                ProblemsLeftOut++;
            }
        }
    }
}
