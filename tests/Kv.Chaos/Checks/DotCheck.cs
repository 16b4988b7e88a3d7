using System.Collections.Concurrent;
using System.Globalization;
using Kv.Chaos.Load;
using Kv.Chaos.Rings;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage;

namespace Kv.Chaos.Checks;

/// <summary>
/// No dot names two writes. While the load runs clients see a write's tag, which the node makes of its dot; in the end the stopped nodes' stores are read, which have the dots themselves. Two deletes of
/// a key differ by their times. For many threads.
/// </summary>
internal sealed class DotCheck
{
    /// <summary>Longer values differ in their beginning or their length.</summary>
    private const int ShownChars = 80;

    private readonly ConcurrentDictionary<string, string> named = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> problems = new(StringComparer.Ordinal);
    private int siblings;
    private int orderedSiblings;

    public IReadOnlyList<string> Problems => [.. problems.Values.Order(StringComparer.Ordinal)];

    /// <summary>Dots and tags that were seen.</summary>
    public int Seen => named.Count;

    /// <summary>Siblings with a dot that stores had.</summary>
    public int Siblings => siblings;

    /// <summary>Those of them that are ordered records.</summary>
    public int OrderedSiblings => orderedSiblings;

    /// <summary>A client was shown a value. Tags of types without dots are no dots.</summary>
    /// <param name="name">The value, without what only makes it longer.</param>
    public void SawTag(ObjectKey key, string tag, string name)
    {
        if (BucketTypes.HasDots(key.BucketType))
        {
            Saw($"the tag {tag}", $"{name} of {key}");
        }
    }

    /// <summary>A store holds this.</summary>
    public void SawStored(ReadOnlyMemory<byte> encodedKey, ReadOnlyMemory<byte> stored)
    {
        if (!ObjectKeyCodec.TryDecode(encodedKey, out var key) || !ObjectCodec.TryDecode(stored, out var held, out _))
        {
            return;
        }

        foreach (var sibling in held.Siblings)
        {
            if (sibling.Dot is not { } dot || dot.Actor.Node == NodeId.None)
            {
                continue;
            }

            Interlocked.Increment(ref siblings);
            Interlocked.Add(ref orderedSiblings, BucketTypes.IsOrdered(key.BucketType) ? 1 : 0);
            var name = sibling.IsTombstone ? "a delete" : NameOf(sibling.Value);
            Saw($"the dot {dot}", string.Create(CultureInfo.InvariantCulture, $"{name} of {key} at {sibling.LastModifiedMicroseconds}"));
            if (!sibling.IsTombstone)
            {
                SawTag(key, sibling.VTag, name);
            }
        }
    }

    /// <summary>Looks at all that stopped nodes have on their disks. A partition that is damaged is not looked at: another check tells of it.</summary>
    public async Task ReadAsync(IEnumerable<(string Node, string Data)> stopped)
    {
        foreach (var (node, data) in stopped.Where(one => Directory.Exists(one.Data)))
        {
            try
            {
                await ReadAsync(data);
            }
            catch (StoreException failure)
            {
                problems[node] = $"what {node} has on its disk cannot be read: {failure.Message}";
            }
        }

        if (siblings == 0)
        {
            problems[""] = "no store had anything with a dot";
        }
        else if (orderedSiblings == 0)
        {
            problems[""] = "no store had an ordered record with a dot";
        }
    }

    private async Task ReadAsync(string data)
    {
        await using var engine = StorageEngine.Open(new StorageOptions { Directory = data }, static _ => { }, runsUpkeep: false);
        foreach (var partition in engine.Partitions.Where(partition => !engine.Damaged.ContainsKey(partition)))
        {
            await using var store = await engine.OpenAsync(partition, CancellationToken.None);
            await foreach (var entry in store.FoldAsync(CancellationToken.None))
            {
                SawStored(entry.Key, entry.Value);
            }
        }
    }

    private void Saw(string dot, string what)
    {
        var first = named.GetOrAdd(dot, what);
        if (first != what)
        {
            problems.TryAdd(dot, $"{dot} names {first} and {what}");
        }
    }

    private static string NameOf(ReadOnlyMemory<byte> value)
    {
        var text = ClientDoor.NameOf(value.Span);
        return text.Length <= ShownChars ? text : string.Create(CultureInfo.InvariantCulture, $"{text[..ShownChars]}… of {value.Length} bytes");
    }
}
