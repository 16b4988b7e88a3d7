namespace Kv.Core.AntiEntropy;

/// <summary>What a write does to a tree: the old entry's hash taken out of its segment and the new one's put in, which is one and the same operation.</summary>
public readonly record struct TreeChange(TreeRange Range, int Segment, uint Hash)
{
    /// <summary>Of a key whose entry had one hash and has another now; 0 stands for no entry.</summary>
    public static TreeChange Of(TreeRange range, ulong keyHash, ulong before, ulong after) =>
        new(range, HashTree.SegmentOf(keyHash), HashTree.LeafHash(before) ^ HashTree.LeafHash(after));
}
