namespace Kv.Storage.Tests.Files;

/// <summary>A disk at the moment of a crash, with what is not yet decided: which unsynced bytes and names made it.</summary>
internal sealed class DiskImage(Dictionary<string, Inode> durable, Dictionary<string, List<NameChange>> unsyncedNames)
{
    private const int SectorBytes = 512;

    /// <summary>One of the disks that this crash can leave; the same seed gives the same one.</summary>
    public FaultyFiles Settle(int seed)
    {
        var random = new Random(seed);
        var entries = new Dictionary<string, Inode>(durable, StringComparer.Ordinal);
        foreach (var directory in unsyncedNames.Keys.Order(StringComparer.Ordinal))
        {
            var changes = unsyncedNames[directory];
            foreach (var change in changes.Take(Chance(random, changes.Count)))
            {
                change.Apply(entries);
            }
        }

        var settled = new Dictionary<string, Inode>(StringComparer.Ordinal);
        var inodes = new Dictionary<Inode, Inode>();
        foreach (var (path, inode) in entries.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (HasParents(path, entries))
            {
                if (!inodes.TryGetValue(inode, out var left))
                {
                    inodes[inode] = left = Settle(inode, random);
                }

                settled[path] = left;
            }
        }

        return new FaultyFiles(settled);
    }

    /// <summary>The disk for the next process where this one died and the machine did not: all of it is seen, and what was not on stable storage may still be lost.</summary>
    public FaultyFiles Keep()
    {
        var copies = new Dictionary<Inode, Inode>();
        Inode Copy(Inode inode)
        {
            if (!copies.TryGetValue(inode, out var copy))
            {
                copies[inode] = copy = new Inode { IsDirectory = inode.IsDirectory, Durable = inode.Durable };
                copy.Share(inode.Durable);
                inode.Unsynced.ForEach(write => copy.Put(write.Offset, write.Bytes));
                copy.Unsynced.AddRange(inode.Unsynced);
            }

            return copy;
        }

        var kept = durable.ToDictionary(pair => pair.Key, pair => Copy(pair.Value), StringComparer.Ordinal);
        var names = unsyncedNames.ToDictionary(pair => pair.Key, pair => pair.Value.ConvertAll(change => change with { Inode = change.Inode is null ? null : Copy(change.Inode) }));
        var seen = new Dictionary<string, Inode>(kept, StringComparer.Ordinal);
        foreach (var change in names.Values.SelectMany(changes => changes))
        {
            change.Apply(seen);
        }

        return new FaultyFiles(seen, kept, names);
    }

    private static Inode Settle(Inode inode, Random random)
    {
        var left = new Inode { IsDirectory = inode.IsDirectory };
        left.Share(inode.Durable);
        foreach (var (offset, bytes) in inode.Unsynced)
        {
            switch (random.Next(4))
            {
                case 0:
                    break;
                case 1:
                    PutSectors(left, offset, bytes, random);
                    break;
                default:
                    left.Put(offset, bytes);
                    break;
            }
        }

        left.Durable = inode.Unsynced.Count == 0 ? inode.Durable : left.Current.AsSpan(0, left.Length).ToArray();
        return left;
    }

    /// <summary>Some sectors of a write, which are cut where the disk cuts them.</summary>
    private static void PutSectors(Inode inode, int offset, byte[] bytes, Random random)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, SectorBytes - ((offset + at) % SectorBytes));
            if (random.Next(2) == 0)
            {
                inode.Put(offset + at, bytes.AsSpan(at, length));
            }

            at += length;
        }
    }

    // Half of the time all names made it or none: the likeliest cases in life.
    private static int Chance(Random random, int count) => random.Next(4) switch
    {
        0 => 0,
        1 => count,
        _ => random.Next(count + 1),
    };

    private static bool HasParents(string path, Dictionary<string, Inode> entries)
    {
        for (var parent = Path.GetDirectoryName(path); parent is not null && Path.GetDirectoryName(parent) is not null; parent = Path.GetDirectoryName(parent))
        {
            if (!entries.ContainsKey(parent))
            {
                return false;
            }
        }

        return true;
    }
}
