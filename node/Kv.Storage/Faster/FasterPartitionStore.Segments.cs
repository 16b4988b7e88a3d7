namespace Kv.Storage.Faster;

/// <summary>Its keys by segment.</summary>
internal sealed partial class FasterPartitionStore
{
    public bool HasSegments => segments.IsComplete;

    public ValueTask<int?> ReadSegmentsAsync(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        EnterCaller();
        try
        {
            return new ValueTask<int?>(segments.Read(from, until, enough, keys));
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not read its keys", error);
        }
        finally
        {
            ExitCaller();
        }
    }

    public async ValueTask IndexSegmentsAsync(CancellationToken cancel)
    {
        if (!segments.TryBeginLearning())
        {
            throw new InvalidOperationException($"The keys of partition {Partition} are being learned already.");
        }

        var isWhole = false;
        try
        {
            await foreach (var (key, _) in FoldAsync(cancel))
            {
                segments.Learn(key.Span);
            }

            isWhole = true;
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not write its keys", error);
        }
        finally
        {
            segments.EndLearning(isWhole);
        }
    }
}
