using Google.Protobuf;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Import;

/// <summary>Copies one key: reads the source, reads the target, writes what is missing. Doing it again comes to the same, whatever of it was done before.</summary>
/// <param name="target">Where to.</param>
/// <param name="bucket">Of both.</param>
/// <param name="isDataType">Whether its type has one.</param>
/// <param name="keepsSiblings">Whether the target's bucket does.</param>
/// <param name="overwrites">See <see cref="ImportOptions.Overwrites"/>.</param>
/// <param name="state">Remembers the keys of which some values were written.</param>
internal sealed class KeyCopier(ImportTarget target, ImportState state, BucketId bucket, bool isDataType, bool keepsSiblings, bool overwrites)
{
    /// <summary>`Key` of kv.v1 has it.</summary>
    private const int MaxKeyBytes = 65_536;

    private int hasIndexes;

    /// <summary>Whether an import before, which was cut off, may have copied these keys, or the first values of one.</summary>
    public bool IsResumed { get; set; }

    /// <summary>Whether an object with index entries was written.</summary>
    public bool HasIndexes => hasIndexes != 0;

    public async Task<KeyResult> CopyAsync(RiakSource source, ByteString key, CancellationToken cancel)
    {
        if (key.Length > MaxKeyBytes)
        {
            return new KeyResult(KeyFate.Refused, $"its key has {key.Length} bytes, and at most {MaxKeyBytes} are allowed");
        }

        try
        {
            return isDataType ? await CopyDataTypeAsync(source, key, cancel) : await CopyObjectAsync(source, key, cancel);
        }
        catch (KeyRefusedException e)
        {
            return new KeyResult(KeyFate.Refused, e.Message);
        }
        catch (CliException e) when (e is not AccessException)
        {
            return new KeyResult(KeyFate.Failed, e.Message);
        }
    }

    private async Task<KeyResult> CopyObjectAsync(RiakSource source, ByteString key, CancellationToken cancel)
    {
        var live = (await source.GetAsync(bucket, key, cancel)).Content.Where(content => !content.Deleted).ToList();
        if (live.Count == 0)
        {
            return new KeyResult(KeyFate.Deleted);
        }

        if (live.Any(RiakContents.IsDataType))
        {
            return new KeyResult(KeyFate.Refused, "it holds a data type's state: a counter of Riak 1.4, or a key from before its type; count it anew by the counters' interface");
        }

        var contents = RiakContents.Distinct(live.Select(RiakContents.Read));
        switch (SiblingPlan.Of(contents, await target.GetAsync(bucket, key, cancel), keepsSiblings, overwrites, IsResumed || state.IsBegun(bucket, key)))
        {
            case SiblingPlan.Nothing:
                return new KeyResult(KeyFate.Equal);
            case SiblingPlan.Conflict conflict:
                return new KeyResult(KeyFate.Conflict, conflict.Reason);
            case SiblingPlan.Write write:
                try
                {
                    return await WriteAsync(key, write, cancel);
                }
                catch when (contents.Count > 1)
                {
                    state.Begun(bucket, key);
                    throw;
                }

            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<KeyResult> WriteAsync(ByteString key, SiblingPlan.Write write, CancellationToken cancel)
    {
        if (write.Contents.Any(content => content.Indexes.Count > 0))
        {
            Interlocked.Exchange(ref hasIndexes, 1);
        }

        var (context, mustBeAbsent) = (write.Context, write.MustBeAbsent);
        foreach (var content in write.Contents)
        {
            if (!await target.PutAsync(bucket, key, content, context, mustBeAbsent, cancel))
            {
                return new KeyResult(KeyFate.Conflict, "it was written in the target meanwhile");
            }

            (context, mustBeAbsent) = (ByteString.Empty, false);
        }

        return new KeyResult(KeyFate.Copied);
    }

    /// <summary>
    /// An update adds to what is there: so there must be nothing, and a value that differs is never overwritten. Where it counts, all replicas have to say so: one that was missed may have what an import before had no answer of.
    /// </summary>
    private async Task<KeyResult> CopyDataTypeAsync(RiakSource source, ByteString key, CancellationToken cancel)
    {
        if (DataTypeCopies.ValueOf(await source.FetchAsync(bucket, key, cancel)) is not { } value)
        {
            return new KeyResult(KeyFate.Deleted);
        }

        var counts = value.ValueCase is DataTypeValue.ValueOneofCase.Counter or DataTypeValue.ValueOneofCase.Map;
        var fetched = await target.FetchAsync(bucket, key, ofAllReplicas: counts, cancel);
        if (fetched.Value is { } there)
        {
            var plain = DataTypeCopies.Plain(there);
            return plain.Equals(value) ? new KeyResult(KeyFate.Equal)
                : new KeyResult(KeyFate.Conflict, DataTypeCopies.IsEmpty(plain) ? "it was emptied in the target" : "the target has another value");
        }

        if (DataTypeCopies.IsEmpty(value))
        {
            return new KeyResult(KeyFate.Equal);
        }

        if (await target.IsDeletedAsync(bucket, key, ofAllReplicas: counts, cancel))
        {
            return new KeyResult(KeyFate.Conflict, "it was deleted in the target");
        }

        try
        {
            await target.UpdateAsync(bucket, key, DataTypeCopies.OperationOf(value), cancel);
            return new KeyResult(KeyFate.Copied);
        }
        catch (CliException e) when (counts && e.Code == ExitCode.Unavailable)
        {
            // It may be done yet, and done again it would count twice.
            return new KeyResult(KeyFate.Failed, e.Message, IsFinal: true);
        }
    }
}
