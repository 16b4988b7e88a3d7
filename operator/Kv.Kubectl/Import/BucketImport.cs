using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Import;

/// <summary>Copies one bucket: a list of its keys first, then its properties, then the keys in chunks, some at once. After a chunk the state says how far it is.</summary>
/// <param name="sources">A connection for each key that is copied at once.</param>
/// <param name="target">Where to.</param>
/// <param name="state">How far it is.</param>
/// <param name="options">How.</param>
/// <param name="report">Takes the keys that were not copied.</param>
/// <param name="typeProps">What is in force in the target for the bucket's type.</param>
internal sealed class BucketImport(IReadOnlyList<RiakSource> sources, ImportTarget target, ImportState state, ImportOptions options, ImportReport report, JsonObject typeProps)
{
    /// <summary>With no key between them that was copied, so many failures mean that one of the two clusters is gone.</summary>
    private const int MaxFailuresInARow = 200;

    /// <summary>Before what failed is tried again.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    private int failuresInARow;

    /// <summary>Ends with an exception where going on makes no sense; the row says then how far it came.</summary>
    public async Task RunAsync(BucketRow row, CancellationToken cancel)
    {
        var isResumed = state.Of(row.Bucket) is not null;
        var offset = await ListAsync(row, cancel);
        if (row.Keys == 0 && options.Buckets is not null)
        {
            throw new CliException(ExitCode.NotFound, "the source lists no keys in it, so nothing was done (are name and type right?)");
        }

        var props = await PropsAsync(row, cancel);
        var copier = new KeyCopier(
            target,
            state,
            row.Bucket,
            isDataType: props["datatype"] is not null,
            keepsSiblings: IsTrue(props, "allow_mult") && !IsTrue(props, "last_write_wins") && !IsTrue(props, "write_once"),
            options.Overwrites)
        {
            IsResumed = isResumed,
        };
        while (true)
        {
            var (keys, next) = ReadKeys(offset);
            if (keys.Count == 0)
            {
                break;
            }

            await CopyAsync(copier, row, keys, cancel);
            (offset, copier.IsResumed) = (next, false);
            state.At(row.Bucket, offset, row.Tally);
        }

        if (copier.HasIndexes && (string?)props["backend"] != "ordered")
        {
            row.Notes.Add("its objects keep their index entries, and cannot be queried by them: its type's backend is not `ordered`");
        }

        if (row.Tally[KeyFate.Failed] == 0)
        {
            state.Done(row.Bucket, row.Tally, row.Listed!.Value);
        }
    }

    private async Task<JsonObject> PropsAsync(BucketRow row, CancellationToken cancel)
    {
        var there = await target.BucketPropsAsync(row.Bucket, cancel);
        var copy = BucketPropsCopy.Of(await sources[0].BucketPropsAsync(row.Bucket, cancel), there, typeProps);
        row.Notes.AddRange(copy.Notes);
        if (copy.Change.Count == 0)
        {
            return there;
        }

        if (there["datatype"] is not null)
        {
            row.Notes.Add($"properties that differ are not carried over to a bucket of a data type: {NamesOf(copy.Change)}");
            return there;
        }

        if (!options.CopiesProps)
        {
            row.Notes.Add($"properties that differ were left as they are: {NamesOf(copy.Change)}");
            return there;
        }

        if (copy.Own.Count > 0 && !options.Overwrites)
        {
            row.PropsInConflict = copy.Own;
            return there;
        }

        try
        {
            var set = await target.SetBucketPropsAsync(row.Bucket, copy.Change, cancel);
            row.Props = [.. copy.Change.Select(prop => prop.Key)];
            return set;
        }
        catch (CliException e) when (e is not AccessException && e.Code != ExitCode.Unavailable)
        {
            throw new CliException(e.Code, $"its properties {copy.Change.ToJsonString(JsonText.Compact)} are refused (--skip-props leaves them as they are): {e.Message}", e);
        }
    }

    /// <summary>Where the first key that is to be copied lies in the list.</summary>
    private async Task<long> ListAsync(BucketRow row, CancellationToken cancel)
    {
        if (state.Of(row.Bucket) is { } at)
        {
            (row.Keys, row.Listed, row.IsListedBefore) = (at.Keys, at.Listed, true);
            row.Tally.Add(at.Tally);
            return at.Offset;
        }

        var begun = DateTimeOffset.UtcNow;
        var (count, list) = await sources[0].AnewAsync(() => state.Keys.FillAsync(take => sources[0].ListKeysAsync(row.Bucket, take, cancel)));
        (row.Keys, row.Listed) = (count, begun);
        state.Listed(row.Bucket, count, list, begun);
        return KeySpool.Start;
    }

    private (IReadOnlyList<ByteString> Keys, long Next) ReadKeys(long offset)
    {
        try
        {
            return state.Keys.Read(offset);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"the list of keys cannot be read (delete the directory of --state to list them anew): {e.Message}", e);
        }
    }

    private async Task CopyAsync(KeyCopier copier, BucketRow row, IReadOnlyList<ByteString> keys, CancellationToken cancel)
    {
        for (var pass = 0; keys.Count > 0 && pass <= Pauses.Length; pass++)
        {
            if (pass > 0)
            {
                await Task.Delay(Pauses[pass - 1], cancel);
            }

            keys = await PassAsync(copier, row, keys, pass, cancel);
        }
    }

    /// <summary>Gives the keys that are to be tried again.</summary>
    private async Task<IReadOnlyList<ByteString>> PassAsync(KeyCopier copier, BucketRow row, IReadOnlyList<ByteString> keys, int pass, CancellationToken cancel)
    {
        var again = new List<ByteString>();
        var taken = -1;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAll(sources.Select(async source =>
        {
            try
            {
                for (int i; (i = Interlocked.Increment(ref taken)) < keys.Count;)
                {
                    var result = await copier.CopyAsync(source, keys[i], ending.Token);
                    if (pass == 0)
                    {
                        // Those that failed before say nothing of the cluster: they are all that is left.
                        Watch(result);
                    }

                    if (result is { Fate: KeyFate.Failed, IsFinal: false } && pass < Pauses.Length)
                    {
                        lock (again)
                        {
                            again.Add(keys[i]);
                        }
                    }
                    else
                    {
                        Count(row, keys[i], result);
                    }
                }
            }
            catch
            {
                // The others have no use any more.
                await ending.CancelAsync();
                throw;
            }
        }));
        return again;
    }

    private void Watch(KeyResult result)
    {
        if (result.Fate != KeyFate.Failed)
        {
            Interlocked.Exchange(ref failuresInARow, 0);
        }
        else if (Interlocked.Increment(ref failuresInARow) >= MaxFailuresInARow)
        {
            throw new CliException(ExitCode.Unavailable, $"{MaxFailuresInARow} keys in a row failed: {result.Reason}");
        }
    }

    private void Count(BucketRow row, ByteString key, KeyResult result)
    {
        row.Tally.Add(result.Fate);
        if (result.Fate is KeyFate.Conflict or KeyFate.Refused or KeyFate.Failed)
        {
            report.Add(row.Bucket, key, result);
        }
    }

    private static string NamesOf(JsonObject change) => string.Join(", ", change.Select(prop => prop.Key));

    private static bool IsTrue(JsonObject props, string name) => props[name]?.GetValue<bool>() ?? false;
}
