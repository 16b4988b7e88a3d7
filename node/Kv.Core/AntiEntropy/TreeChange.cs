namespace Kv.Core.AntiEntropy;

/// <summary>What a write does to a tree of whatever depth: the old entry's hash taken out of its leaf and the new one's put in, which is one and the same operation. See <see cref="HashTree.PlaceOf"/>.</summary>
public readonly record struct TreeChange(TreeRange Range, int Place, uint Hash)
{
    public int Segment => HashTree.LeafAt(Place, 0);

    /// <summary>Of a key whose entry had one hash and has another now; 0 stands for no entry.</summary>
    public static TreeChange Of(TreeRange range, ulong keyHash, ulong before, ulong after) =>
        new(range, HashTree.PlaceOf(keyHash), HashTree.LeafHash(before) ^ HashTree.LeafHash(after));
}
