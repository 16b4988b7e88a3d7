using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>A whole import: looks at the types of both clusters before it writes anything, then copies bucket after bucket.</summary>
internal sealed class ImportRun(SourceSettings source, ImportTarget target, ImportOptions options, ImportProgress progress)
{
    /// <summary>Names are kept in memory.</summary>
    private const int MaxBuckets = 1_000_000;

    private IReadOnlyDictionary<string, BucketType> types = new Dictionary<string, BucketType>();

    /// <summary>Null before anything was begun.</summary>
    public ImportReport? Report { get; private set; }

    public async Task RunAsync(CancellationToken cancel)
    {
        var sources = Enumerable.Range(0, options.Concurrency).Select(first => new RiakSource(source, first)).ToList();
        try
        {
            await CheckSourceAsync(sources[0], cancel);
            await CheckTypesAsync(sources[0], cancel);
            var cluster = await target.ClusterNameAsync(cancel);
            await CopyAsync(sources, cluster, cancel);
        }
        finally
        {
            sources.ForEach(one => one.Dispose());
        }
    }

    private async Task CopyAsync(IReadOnlyList<RiakSource> sources, string cluster, CancellationToken cancel)
    {
        using var state = ImportState.Open(options.StateDirectory, source.Addresses, cluster, options.Overwrites, options.IsAfresh);
        bool isDone;
        using (var problems = state.OpenProblems())
        {
            var report = Report = new ImportReport(source.Addresses, cluster, problems);
            try
            {
                await CopyAsync(sources, state, report, cancel);
                report.HasEnded = true;
            }
            finally
            {
                report.Close();
                if (problems.TakeTrouble() is { } trouble)
                {
                    progress.Say(trouble);
                }
            }

            isDone = report.IsDone;
        }

        if (isDone)
        {
            state.Delete();
        }

        if (Report.Buckets == 0)
        {
            throw new CliException(ExitCode.NotFound, $"there is nothing to copy: the source lists no bucket of {(options.Types.Count == 1 ? "the type" : "the types")} {string.Join(", ", options.Types)} (is it the right cluster?)");
        }
    }

    private async Task CopyAsync(IReadOnlyList<RiakSource> sources, ImportState state, ImportReport report, CancellationToken cancel)
    {
        foreach (var type in options.Types)
        {
            var names = options.Buckets ?? await BucketsAsync(sources[0], type, cancel);
            if (names.Count == 0)
            {
                progress.Say($"the source has no buckets of the type {type}");
            }

            foreach (var name in names)
            {
                await CopyAsync(sources, state, report, new BucketId(type, name), cancel);
            }
        }
    }

    private async Task CheckSourceAsync(RiakSource riak, CancellationToken cancel)
    {
        var info = await riak.ServerInfoAsync(cancel);
        progress.Say($"importing from {info.Node.ToStringUtf8()} ({string.Join(", ", source.Addresses)}), version {info.ServerVersion.ToStringUtf8()}");
    }

    private async Task CheckTypesAsync(RiakSource riak, CancellationToken cancel)
    {
        types = await target.BucketTypesAsync(cancel);
        foreach (var type in options.Types.Where(type => type != RiakSource.DefaultType))
        {
            var there = await TypeOfSourceAsync(riak, type, cancel);
            var kind = there.HasDatatype ? there.Datatype.ToStringUtf8() : null;
            if (kind == "hll")
            {
                throw new CliException(ExitCode.Failed, $"the bucket type {type} holds HyperLogLogs: Riak gives away what they estimate and not what they have counted, so they cannot be copied; add their members anew (kv hll add)");
            }

            if (types.GetValueOrDefault(type) is not { Active: true } own)
            {
                throw new CliException(ExitCode.Failed, BucketTypeAdvice.For(type, there));
            }

            var ownKind = (string?)JsonNode.Parse(own.PropsJson)!["datatype"];
            if (kind != ownKind)
            {
                throw new CliException(ExitCode.Failed, $"the bucket type {type} has the data type {kind ?? "none"} in the source and {ownKind ?? "none"} in the cluster");
            }
        }
    }

    private static async Task<RpbBucketProps> TypeOfSourceAsync(RiakSource riak, string type, CancellationToken cancel)
    {
        try
        {
            return await riak.TypePropsAsync(type, cancel);
        }
        catch (CliException e) when (e is not AccessException && e.Code != ExitCode.Unavailable)
        {
            throw new CliException(ExitCode.NotFound, $"the source has no bucket type {type} that is active: {e.Message}", e);
        }
    }

    private static Task<IReadOnlyList<ByteString>> BucketsAsync(RiakSource riak, string type, CancellationToken cancel) => riak.AnewAsync<IReadOnlyList<ByteString>>(async () =>
    {
        var names = new HashSet<ByteString>();
        await riak.ListBucketsAsync(
            type,
            page =>
            {
                names.UnionWith(page);
                if (names.Count > MaxBuckets)
                {
                    throw new CliException(ExitCode.Failed, $"the bucket type {type} has more than {MaxBuckets} buckets: name those to import with --bucket, some at a time");
                }
            },
            cancel);
        return [.. names.OrderBy(name => name, Comparer<ByteString>.Create((left, right) => left.Span.SequenceCompareTo(right.Span)))];
    });

    private async Task CopyAsync(IReadOnlyList<RiakSource> sources, ImportState state, ImportReport report, BucketId bucket, CancellationToken cancel)
    {
        if (state.OfDone(bucket) is { } before)
        {
            var done = new BucketRow(bucket) { WasDone = true, IsListedBefore = true, Listed = before.Listed, Keys = before.Tally.Done };
            done.Tally.Add(before.Tally);
            report.Add(done);
            return;
        }

        var row = new BucketRow(bucket);
        progress.Begin(row);
        try
        {
            await new BucketImport(sources, target, state, options, report, JsonNode.Parse(types[bucket.Type].PropsJson)!.AsObject()).RunAsync(row, cancel);
        }
        catch (Exception e) when (e is CliException or OperationCanceledException)
        {
            row.Error = e is OperationCanceledException ? BucketRow.Interrupted : e.Message;
            if (e is AccessException or not CliException { Code: ExitCode.Failed or ExitCode.NotFound })
            {
                throw;
            }
        }
        finally
        {
            report.Add(row);
            if (state.TakeProblem() is { } problem)
            {
                progress.Say(problem);
            }
        }
    }
}
