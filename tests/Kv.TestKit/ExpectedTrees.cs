using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.TestKit;

/// <summary>What a vnode's trees have to be by its data.</summary>
public static class ExpectedTrees
{
    /// <summary>How many leaves of a range's tree are not those of the data; of the depth that the tree has.</summary>
    public static int WrongLeaves(HashTrees trees, TreeRange range, IEnumerable<KeyValuePair<byte[], byte[]>> contents, PartitionId partition, TreeLayout layout)
    {
        var tree = trees.Find(range) ?? new HashTree();
        var expected = new HashTree(tree.Depth);
        foreach (var (key, value) in contents)
        {
            if (ObjectKeyCodec.TryDecode(key, out var name) && layout.RangeAt(partition, name) == range)
            {
                var hash = EntryHash.OfKey(key);
                expected.Toggle(HashTree.PlaceOf(hash), HashTree.LeafHash(EntryHash.OfEntry(hash, value)));
            }
        }

        return HashTree.Differing(tree, expected).Count;
    }
}
