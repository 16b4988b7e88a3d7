using System.Collections.Immutable;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;

namespace Kv.Storage.Segments;

/// <summary>How what is in memory becomes a run.</summary>
internal sealed partial class SegmentIndex
{
    /// <summary>What was taken aside becomes a run, and takes the place of the runs it is joined with.</summary>
    private void WriteRun()
    {
        lock (writing)
        {
            ImmutableArray<KeyRun> before;
            lock (gate)
            {
                if (frozen is not { Count: > 0 } || standing == Standing.Unknown)
                {
                    frozen = null;
                    return;
                }

                (before, lastRun) = (runs, lastRun + 1);
            }

            var joined = FirstToJoin(before, frozen.Count);
            var written = TryJoin(frozen, before.AsSpan()[joined..], keepsDead: joined > 0);
            lock (gate)
            {
                frozen = null;
                Replace(before, joined, written);
                DisposeRetired();
            }
        }
    }

    private void Replace(ImmutableArray<KeyRun> before, int joined, KeyRun? written)
    {
        if (written is null)
        {
            Forget();
        }
        else if (!runs.SequenceEqual(before))
        {
            // Given up while it was written.
            retired.Add(written);
        }
        else
        {
            retired.AddRange(before.AsSpan()[joined..]);
            runs = [.. before[..joined], written];
        }
    }

    /// <summary>From which run on they are joined: each key is written again about once a doubling.</summary>
    private static int FirstToJoin(ImmutableArray<KeyRun> runs, long keys)
    {
        var first = runs.Length;
        while (first > 0 && (runs[first - 1].Keys <= 2 * keys || runs.Length >= MaxRuns))
        {
            keys += runs[--first].Keys;
        }

        return first;
    }

    /// <summary>Null where one of the runs is damaged: the keys have to be learned anew.</summary>
    private KeyRun? TryJoin(KeyDelta taken, ReadOnlySpan<KeyRun> older, bool keepsDead)
    {
        var path = Path.Combine(directory, RunOf(lastRun));
        var bytes = (long)taken.KeyBytes + (taken.Count * KeyRun.KeyHeaderBytes);
        foreach (var run in older)
        {
            bytes += run.Bytes;
        }

        try
        {
            using (var writer = new KeyRunWriter(files, path, bytes))
            {
                Join(taken, older, keepsDead, writer);
                writer.Finish();
            }

            return KeyRun.Open(files, path, lastRun);
        }
        catch (StoreException damage)
        {
            unusable(damage.Message);
            return null;
        }
    }

    private void Join(KeyDelta taken, ReadOnlySpan<KeyRun> older, bool keepsDead, KeyRunWriter writer)
    {
        var keys = new Dictionary<ReadOnlyMemory<byte>, bool>(KeyBytesComparer.Instance);
        for (var segment = 0; segment < HashTree.Segments; segment++)
        {
            keys.Clear();
            taken.Collect(segment, keys);
            lock (gate)
            {
                for (var run = older.Length - 1; run >= 0; run--)
                {
                    older[run].Collect(segment, keys);
                }
            }

            foreach (var (key, isLive) in keys)
            {
                if (isLive || keepsDead)
                {
                    writer.Add(segment, key.Span, isLive);
                }
            }
        }
    }
}
