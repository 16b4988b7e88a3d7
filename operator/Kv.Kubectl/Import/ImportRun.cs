using Google.Protobuf;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>A whole import: looks at the types of both clusters before it writes anything, then copies bucket after bucket.</summary>
internal sealed class ImportRun(SourceSettings source, ImportTarget target, ImportOptions options, ImportProgress progress)
{
    /// <summary>Names are kept in memory.</summary>
    private const int MaxBuckets = 1_000_000;

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
            using var state = ImportState.Open(options.StateDirectory, source.Addresses, cluster, options.Overwrites);
            var report = Report = new ImportReport(source.Addresses, cluster);
            foreach (var type in options.Types)
            {
                foreach (var name in options.Buckets ?? await BucketsAsync(sources[0], type, cancel))
                {
                    await CopyAsync(sources, state, report, new BucketId(type, name), cancel);
                }
            }

            report.IsWhole = report.Total[KeyFate.Failed] == 0;
            if (report.IsWhole && report.FailedBuckets == 0)
            {
                state.Delete();
            }
        }
        finally
        {
            sources.ForEach(one => one.Dispose());
        }
    }

    private async Task CheckSourceAsync(RiakSource riak, CancellationToken cancel)
    {
        var info = await riak.ServerInfoAsync(cancel);
        progress.Say($"importing from {info.Node.ToStringUtf8()} ({string.Join(", ", source.Addresses)}), version {info.ServerVersion.ToStringUtf8()}");
    }

    private async Task CheckTypesAsync(RiakSource riak, CancellationToken cancel)
    {
        var here = await target.BucketTypesAsync(cancel);
        foreach (var type in options.Types.Where(type => type != RiakSource.DefaultType))
        {
            var there = await TypeOfSourceAsync(riak, type, cancel);
            var kind = there.HasDatatype ? there.Datatype.ToStringUtf8() : null;
            if (kind == "hll")
            {
                throw new CliException(ExitCode.Failed, $"the bucket type {type} holds HyperLogLogs: Riak gives away what they estimate and not what they have counted, so they cannot be copied; add their members anew (kv hll add)");
            }

            if (here.GetValueOrDefault(type) is not { Active: true } own)
            {
                throw new CliException(ExitCode.Failed, BucketTypeAdvice.For(type, there));
            }

            var ownKind = (string?)System.Text.Json.Nodes.JsonNode.Parse(own.PropsJson)!["datatype"];
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
        catch (CliException e) when (e.Code != ExitCode.Unavailable)
        {
            throw new CliException(ExitCode.NotFound, $"the source has no bucket type {type} that is active: {e.Message}", e);
        }
    }

    private static async Task<IReadOnlyList<ByteString>> BucketsAsync(RiakSource riak, string type, CancellationToken cancel)
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
    }

    private async Task CopyAsync(IReadOnlyList<RiakSource> sources, ImportState state, ImportReport report, BucketId bucket, CancellationToken cancel)
    {
        if (state.OfDone(bucket) is { } before)
        {
            var done = new BucketRow(bucket) { WasDone = true, Keys = before.Done };
            done.Tally.Add(before);
            report.Add(done);
            return;
        }

        var row = new BucketRow(bucket);
        progress.Begin(row);
        try
        {
            await new BucketImport(sources, target, state, options, report).RunAsync(row, cancel);
        }
        catch (Exception e) when (e is CliException or OperationCanceledException)
        {
            row.Error = e is OperationCanceledException ? BucketRow.Interrupted : e.Message;
            if (e is not CliException { Code: ExitCode.Failed or ExitCode.NotFound })
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
