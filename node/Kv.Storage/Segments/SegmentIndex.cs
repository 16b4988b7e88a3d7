using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Segments;

/// <summary>
/// A store's keys by segment, so that those of a few segments are found without reading the rest: what changed since the last checkpoint in memory, the rest in
/// a few files (<see cref="KeyRun"/>), newest first. Only a key that is new or removed touches it, never an update. A checkpoint writes what is in memory as a run,
/// joined with the runs before it that are not much longer, so that their number stays logarithmic, and then the manifest that names them. The log brings it forward
/// as it does the data. What is damaged or missing costs a reading of all data and no start; of what is damaged it is told. Safe from any thread.
/// </summary>
internal sealed partial class SegmentIndex : IDisposable
{
    public const uint FormatVersion = 1;
    private const string ManifestPrefix = "segments.";
    private const string RunPrefix = "keys.";
    private const int MaxRuns = 12;

    /// <summary>While all keys are being learned, so many bytes of them are kept in memory before they go to a run.</summary>
    private const int LearnedBytes = 4 * 1024 * 1024;

    private readonly IStorageFiles files;
    private readonly string directory;
    private readonly Action<string> unusable;

    // One run is written at a time. Taken before the other.
    private readonly Lock writing = new();

    // Guards the state below; held while a slot is read, never while a run is written.
    private readonly Lock gate = new();
    private readonly Dictionary<ReadOnlyMemory<byte>, bool> found = new(KeyBytesComparer.Instance);
    private readonly List<KeyRun> retired = [];
    private ImmutableArray<KeyRun> runs = [];
    private KeyDelta delta = new();
    private KeyDelta? frozen;
    private bool isOfCheckpoint;
    private bool isCheckpointWhole;
    private Standing standing = Standing.Complete;
    private int lastRun;

    private SegmentIndex(IStorageFiles files, string directory, Action<string> unusable) => (this.files, this.directory, this.unusable) = (files, directory, unusable);

    private enum Standing
    {
        /// <summary>Not known: nothing is kept up.</summary>
        Unknown,

        /// <summary>All that changes is kept up while the data is read for the rest.</summary>
        Learning,
        Complete,
    }

    public bool IsComplete
    {
        get
        {
            lock (gate)
            {
                return standing == Standing.Complete;
            }
        }
    }

    /// <summary>Bytes of its files: the most that a checkpoint writes of it, beside what is new.</summary>
    public long Bytes
    {
        get
        {
            lock (gate)
            {
                return runs.Sum(run => run.Bytes);
            }
        }
    }

    /// <summary>Bytes of memory for what is new or gone since the last checkpoint.</summary>
    public long DeltaBytes
    {
        get
        {
            lock (gate)
            {
                return delta.MemoryBytes + (frozen?.MemoryBytes ?? 0);
            }
        }
    }

    /// <summary>The index as the checkpoint left it; an empty store's is complete.</summary>
    public static SegmentIndex Open(IStorageFiles files, string directory, long? covered, Action<string> unusable)
    {
        // A run never gets the number of one that is there: a manifest that could not be read may count still, and would take the new one for the one that it names.
        var index = new SegmentIndex(files, directory, unusable) { lastRun = KeyRun.LastNumber(files, directory, RunPrefix) };
        if (covered is not { } lsn)
        {
            return index;
        }

        try
        {
            if (!index.TryReadManifest(lsn))
            {
                index.Forget();
            }
        }
        catch (Exception damage) when (damage is StoreException or IOException)
        {
            unusable(damage.Message);
            index.Forget();
        }

        return index;
    }

    /// <summary>A key came, or went.</summary>
    // hot
    public void Changed(ReadOnlySpan<byte> key, bool isLive)
    {
        lock (gate)
        {
            if (standing != Standing.Unknown)
            {
                delta.Add(SegmentOf(key), key, isLive);
            }
        }
    }

    /// <summary>See <see cref="IPartitionStore.ReadSegmentsAsync"/>. A damaged run makes the index unknown.</summary>
    public int? Read(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys)
    {
        lock (gate)
        {
            if (standing != Standing.Complete)
            {
                return null;
            }

            try
            {
                var before = keys.Count;
                while (from < until && keys.Count - before < enough)
                {
                    Collect(from++);
                    foreach (var (key, isLive) in found)
                    {
                        if (isLive)
                        {
                            keys.Add(key.ToArray());
                        }
                    }
                }

                return from;
            }
            catch (StoreException damage)
            {
                unusable(damage.Message);
                Forget();
                return null;
            }
        }
    }

    /// <summary>Begins to learn all keys anew. False where somebody does already.</summary>
    public bool TryBeginLearning()
    {
        lock (gate)
        {
            if (standing == Standing.Learning)
            {
                return false;
            }

            Forget();
            standing = Standing.Learning;
            return true;
        }
    }

    /// <summary>A key of the data, while all are learned. What came to be known of it meanwhile may be newer: a key too many does no harm.</summary>
    public void Learn(ReadOnlySpan<byte> key)
    {
        Changed(key, isLive: true);
        lock (gate)
        {
            // A checkpoint that is under way takes a run's place itself.
            if (delta.KeyBytes < LearnedBytes || frozen is not null)
            {
                return;
            }

            frozen = delta;
            delta = new KeyDelta();
        }

        WriteRun();
    }

    /// <summary>All are known, or (false) the reading broke off.</summary>
    public void EndLearning(bool isWhole)
    {
        lock (gate)
        {
            if (standing == Standing.Learning)
            {
                standing = isWhole ? Standing.Complete : Standing.Unknown;
            }
        }
    }

    /// <summary>Call under the store's lock, where the checkpoint takes note of what it covers: what changed by now belongs to it. One at a time.</summary>
    public void BeginCheckpoint()
    {
        lock (gate)
        {
            // Where keys are being learned and a run of them is being written, the next checkpoint takes what is here.
            isOfCheckpoint = frozen is null;
            isCheckpointWhole = isOfCheckpoint && standing == Standing.Complete;
            if (isOfCheckpoint)
            {
                frozen = delta;
                delta = new KeyDelta();
            }
        }
    }

    /// <summary>The checkpoint that began is not taken: what belonged to it belongs to the next one.</summary>
    public void PutOffCheckpoint()
    {
        lock (gate)
        {
            if (!isOfCheckpoint || frozen is not { } taken)
            {
                return;
            }

            frozen = null;
            if (standing != Standing.Unknown)
            {
                taken.AddAll(delta);
                delta = taken;
            }
        }
    }

    /// <summary>Writes what belongs to the checkpoint; before the checkpoint itself. An index that is not complete leaves no manifest.</summary>
    public void Write(long covered)
    {
        WriteRun();
        ImmutableArray<KeyRun> named;
        lock (gate)
        {
            if (!isCheckpointWhole || standing != Standing.Complete)
            {
                files.Delete(Path.Combine(directory, ManifestOf(covered)));
                return;
            }

            named = runs;
        }

        var body = new byte[4 + (named.Length * 4)];
        BinaryPrimitives.WriteInt32LittleEndian(body, named.Length);
        for (var index = 0; index < named.Length; index++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4 + (index * 4)), named[index].Number);
        }

        SealedFile.Write(files, Path.Combine(directory, ManifestOf(covered)), SealedFileKind.SegmentIndex, FormatVersion, body);
    }

    /// <summary>Deletes the files of older checkpoints, and those of one that a crash cut short. After the checkpoint.</summary>
    public void DeleteOthers(long covered)
    {
        // Listed first: a run that begins from here on is not among them.
        var there = files.List(directory);
        HashSet<string> kept = [ManifestOf(covered)];
        lock (gate)
        {
            kept.UnionWith(runs.Select(run => RunOf(run.Number)).Append(RunOf(lastRun))); // The last may be being written.
        }

        foreach (var name in there)
        {
            if ((name.StartsWith(ManifestPrefix, StringComparison.Ordinal) || name.StartsWith(RunPrefix, StringComparison.Ordinal)) && !kept.Contains(name))
            {
                files.Delete(Path.Combine(directory, name));
            }
        }
    }

    public void Dispose()
    {
        lock (writing)
        {
            lock (gate)
            {
                Forget();
                DisposeRetired();
            }
        }
    }

    private static int SegmentOf(ReadOnlySpan<byte> key) => HashTree.SegmentOf(EntryHash.OfKey(key));

    private static string ManifestOf(long covered) => string.Create(CultureInfo.InvariantCulture, $"{ManifestPrefix}{covered}");

    private static string RunOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{RunPrefix}{number}");

    /// <summary>Nothing is known any more. Under the lock. The runs close later: one that is being written may read them.</summary>
    private void Forget()
    {
        retired.AddRange(runs);
        (runs, delta, standing) = ([], new KeyDelta(), Standing.Unknown);
    }

    private void DisposeRetired()
    {
        foreach (var run in retired)
        {
            run.Dispose();
        }

        retired.Clear();
    }

    /// <summary>False where the checkpoint was made while the index was not complete, or by an older program.</summary>
    private bool TryReadManifest(long covered)
    {
        var path = Path.Combine(directory, ManifestOf(covered));
        if (SealedFile.Read(files, path, SealedFileKind.SegmentIndex, FormatVersion) is not { } body)
        {
            return false;
        }

        var count = body.Length < 4 ? throw new StoreException($"{path} is cut short.") : BinaryPrimitives.ReadInt32LittleEndian(body);
        for (var index = 0; index < count; index++)
        {
            var number = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(4 + (index * 4)));
            runs = runs.Add(KeyRun.Open(files, Path.Combine(directory, RunOf(number)), number));
        }

        return true;
    }

    /// <summary>The segment's keys as they are known, in <see cref="found"/>. Under the lock.</summary>
    private void Collect(int segment)
    {
        found.Clear();
        delta.Collect(segment, found);
        frozen?.Collect(segment, found);
        for (var run = runs.Length - 1; run >= 0; run--)
        {
            runs[run].Collect(segment, found);
        }
    }
}
