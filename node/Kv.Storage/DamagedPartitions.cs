using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage;

/// <summary>
/// The partitions whose data is known to be damaged or gone, each by a file beside the stores: a later start must not take for empty, or open, what an earlier one found so. Body: the log's next
/// sequence number when it was found (8 bytes, little endian), then the reason as UTF-8. A partition that is given up has a drop in the log with that number or a later one. Safe from any thread.
/// </summary>
internal sealed class DamagedPartitions(IStorageFiles files, string root)
{
    public const uint FormatVersion = 1;
    private const string Suffix = ".damaged";

    // Damage is met on a full disk too, and must not end the node there: what is not marked could be taken for empty once the log is cut.
    private readonly DiskReserve reserve = new(files, root);

    // Guards the files; the map is swapped whole.
    private readonly Lock gate = new();
    private volatile ImmutableSortedDictionary<PartitionId, Damage> found = ImmutableSortedDictionary<PartitionId, Damage>.Empty;

    public sealed record Damage(string Reason, long Lsn);

    public ImmutableSortedDictionary<PartitionId, Damage> Found => found;

    /// <summary>Reads what earlier starts found; tells of a mark that cannot be read.</summary>
    public void Load(Action<string> unreadable)
    {
        reserve.Make();
        foreach (var name in files.List(root))
        {
            if (name.EndsWith(Suffix, StringComparison.Ordinal) && name[0] == 'p'
                && int.TryParse(name.AsSpan(1, name.Length - 1 - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            {
                found = found.SetItem(new PartitionId(partition), Read(Path.Combine(root, name), unreadable));
            }
        }
    }

    /// <summary>On disk when it returns; a full one takes it too.</summary>
    public void Add(PartitionId partition, string reason, long nextLsn)
    {
        lock (gate)
        {
            if (found.ContainsKey(partition))
            {
                return;
            }

            var text = Encoding.UTF8.GetBytes(reason);
            var body = new byte[8 + text.Length];
            BinaryPrimitives.WriteInt64LittleEndian(body, nextLsn);
            text.CopyTo(body.AsSpan(8));
            var path = PathOf(partition);
            reserve.Write(path, () => SealedFile.Write(files, path, SealedFileKind.Damage, FormatVersion, body));
            found = found.Add(partition, new Damage(reason, nextLsn));
        }
    }

    /// <summary>The partition's data was given up.</summary>
    public void Remove(PartitionId partition)
    {
        lock (gate)
        {
            files.Delete(PathOf(partition));
            files.SyncDirectory(root);
            found = found.Remove(partition);
        }
    }

    public void ThrowIf(PartitionId partition)
    {
        if (found.TryGetValue(partition, out var damage))
        {
            throw new StoreDamagedException(damage.Reason);
        }
    }

    private string PathOf(PartitionId partition) => Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"p{partition.Number:D5}{Suffix}"));

    /// <summary>That there is such a file says enough: where it cannot be read, the partition is given up by no drop that came before.</summary>
    private Damage Read(string path, Action<string> unreadable)
    {
        try
        {
            return SealedFile.Read(files, path, SealedFileKind.Damage, FormatVersion, static reason => new StoreDamagedException(reason)) is { Length: >= 8 } body
                ? new Damage(Encoding.UTF8.GetString(body.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(body))
                : throw new StoreDamagedException($"{path} is too short.");
        }
        catch (StoreDamagedException cut)
        {
            unreadable(cut.Message);
            return new Damage("it was found damaged before", long.MaxValue);
        }
    }
}
