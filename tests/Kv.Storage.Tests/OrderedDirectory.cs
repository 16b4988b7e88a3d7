using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Ordered;

namespace Kv.Storage.Tests;

/// <summary>
/// A store's ordered records, made by a given course of batches with a checkpoint now and then, in memtables so small that RocksDB writes files all the time; what it looked like at each checkpoint; and
/// what a start makes of a directory that something has happened to: all there was, once the log has brought it forward, or a store that is found damaged.
/// </summary>
internal sealed class OrderedDirectory : IDisposable
{
    private const int Keys = 300;
    private const int BatchesBetweenCheckpoints = 120;
    private readonly TemporaryDirectory directory = new();
    private readonly OrderedEngine engine = new(1024 * 1024);
    private readonly List<(string Key, byte[]? Value)> batches = [];

    // Of each key, from its absence on.
    private readonly SortedDictionary<string, List<(long Lsn, byte[]? Bytes)>> history = new(StringComparer.Ordinal);

    /// <param name="checkpoints">How many.</param>
    /// <param name="tail">Batches after the last one.</param>
    public OrderedDirectory(int checkpoints, int tail = 0)
    {
        using var records = Open(Directory.CreateDirectory(Path.Combine(directory.Path, "live")).FullName, null, 0);
        for (var number = 0; number < checkpoints; number++)
        {
            Write(records, BatchesBetweenCheckpoints + (17 * number));
            var sequence = records.Flush(batches.Count)!.Value;
            Checkpoints.Add(new Checkpoint(Keep($"checkpoint-{number}"), sequence, batches.Count));
        }

        Write(records, tail);
        Last = Keep("last");
    }

    /// <summary>What a checkpoint says of the records, and a copy of RocksDB's files when it was taken.</summary>
    public sealed record Checkpoint(string Files, long Sequence, long CoveredLsn);

    public List<Checkpoint> Checkpoints { get; } = [];

    /// <summary>A copy of every file of records that there was.</summary>
    public string Tables => Path.Combine(directory.Path, "tables");

    /// <summary>A copy of RocksDB's files at the end.</summary>
    public string Last { get; }

    /// <summary>Copies the files to a place of its own, has something happen to them there, and opens them as a start does. Why they were found damaged, or null; whatever is wrong fails the test.</summary>
    public string? DamageAfter(string files, Checkpoint checkpoint, Action<string> happens, string context)
    {
        using var trial = new TemporaryDirectory();
        var there = Path.Combine(trial.Path, OrderedRecords.DirectoryName);
        OrderedRecordsTests.Copy(files, there);
        happens(there);
        try
        {
            using var records = Open(trial.Path, checkpoint.Sequence, batches.Count);
            AssertHas(records, checkpoint.CoveredLsn, context);
            for (var lsn = checkpoint.CoveredLsn + 1; lsn <= batches.Count; lsn++)
            {
                Apply(records, lsn);
            }

            records.Settle(batches.Count);
            AssertHasAll(records, context);
            AssertHas(records, batches.Count, context);
            records.Flush(batches.Count);
            return null;
        }
        catch (StoreDamagedException damage)
        {
            return damage.Message;
        }
        catch (Exception error) when (error is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{context}: {error.Message}", error);
        }
    }

    public void Dispose()
    {
        engine.Dispose();
        directory.Dispose();
    }

    private OrderedRecords Open(string storeDirectory, long? sequence, long logEnd) =>
        new(DiskFiles.Instance, () => engine, storeDirectory, sequence, logEnd, new OrderedValue(64 * 1024, static length => new byte[length]), static _ => { });

    private void Write(OrderedRecords records, int count)
    {
        for (var end = batches.Count + count; batches.Count < end;)
        {
            var number = batches.Count;
            var (key, value) = ($"key-{number * 7 % Keys:D4}", number % 11 == 10 ? null : Bytes.Pattern(2000 + (number % 5 * 1000), number));
            batches.Add((key, value));
            history.TryAdd(key, [(0, null)]);
            history[key].Add((batches.Count, value));
            Apply(records, batches.Count);
            records.Settle(batches.Count);
            KeepTables();
        }
    }

    private void Apply(OrderedRecords records, long lsn)
    {
        var (key, value) = batches[(int)lsn - 1];
        if (value is null)
        {
            records.Remove(Bytes.Of(key));
        }
        else
        {
            records.Put(Bytes.Of(key), value);
        }

        records.End(lsn);
    }

    /// <summary>Of each key what it was up to the number, or later.</summary>
    private void AssertHas(OrderedRecords records, long coveredLsn, string context)
    {
        foreach (var (key, values) in history)
        {
            var found = records.Read(Bytes.Of(key).Span);
            var allowed = values.Skip(values.FindLastIndex(value => value.Lsn <= coveredLsn));
            Assert.True(allowed.Any(value => value.Bytes is null ? found is null : found is { } there && there.Span.SequenceEqual(value.Bytes)), $"{context}: {key} is not as it was written up to {coveredLsn}");
        }
    }

    private void AssertHasAll(OrderedRecords records, string context)
    {
        var live = history.Where(key => key.Value[^1].Bytes is not null).Select(key => key.Key).ToList();
        var (entries, isLast) = records.Scan(new StoreScan(ScanSpace.Records, default, default, int.MaxValue, int.MaxValue));
        Assert.True(isLast && entries.Select(entry => Bytes.Text(entry.Key)).SequenceEqual(live), $"{context}: found {entries.Count} keys of {live.Count}, or others");
    }

    /// <summary>As it is at one moment: anew where RocksDB wrote or deleted something meanwhile.</summary>
    private string Keep(string name)
    {
        var live = Path.Combine(directory.Path, "live", OrderedRecords.DirectoryName);
        var kept = Path.Combine(directory.Path, name);
        while (true)
        {
            Directory.CreateDirectory(kept);
            try
            {
                var before = Names(live);
                OrderedRecordsTests.Copy(live, kept);
                if (Names(live).SequenceEqual(before))
                {
                    return kept;
                }
            }
            catch (FileNotFoundException)
            {
                // Deleted while it was copied.
            }

            Directory.Delete(kept, recursive: true);
        }
    }

    /// <summary>Each lives for some batches, and is cut short before it is deleted.</summary>
    private void KeepTables()
    {
        Directory.CreateDirectory(Tables);
        foreach (var table in new DirectoryInfo(Path.Combine(directory.Path, "live", OrderedRecords.DirectoryName)).GetFiles("*.sst"))
        {
            var kept = new FileInfo(Path.Combine(Tables, table.Name));
            try
            {
                if (!kept.Exists || kept.Length < table.Length)
                {
                    table.CopyTo(kept.FullName, overwrite: true);
                }
            }
            catch (FileNotFoundException)
            {
                // Deleted meanwhile.
            }
        }
    }

    private static List<(string, long)> Names(string directory) =>
        [.. new DirectoryInfo(directory).GetFiles().Select(file => (file.Name, file.Length)).OrderBy(file => file.Name, StringComparer.Ordinal)];
}
