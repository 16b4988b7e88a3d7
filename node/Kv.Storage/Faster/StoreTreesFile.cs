using Kv.Core.AntiEntropy;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>
/// The trees of a store beside its checkpoint: the file <c>trees.&lt;covered sequence number&gt;</c>, written before the checkpoint that it belongs to; the log brings
/// them forward as it does the data. They can be built anew from the data, so a store opens without them: a file that is missing (a full disk had no room for it), damaged or of
/// another version gives trees that were never built. It is told of all but the first.
/// </summary>
internal static class StoreTreesFile
{
    public const uint FormatVersion = 1;
    private const string Prefix = "trees.";

    public static HashTrees Read(IStorageFiles files, string directory, StoreCheckpoint? checkpoint, Action<string> unusable)
    {
        if (checkpoint is null)
        {
            return new HashTrees();
        }

        try
        {
            var path = Path.Combine(directory, NameOf(checkpoint.CoveredLsn));
            if (SealedFile.Read(files, path, SealedFileKind.StoreTrees, FormatVersion) is not { } body)
            {
                return new HashTrees();
            }

            if (HashTrees.TryDecode(body, out var trees, out var reason))
            {
                return trees;
            }

            unusable($"{path}: {reason}");
        }
        catch (StoreException damage)
        {
            unusable(damage.Message);
        }

        return new HashTrees();
    }

    public static void Write(IStorageFiles files, string directory, long covered, ReadOnlySpan<byte> trees) =>
        SealedFile.Write(files, Path.Combine(directory, NameOf(covered)), SealedFileKind.StoreTrees, FormatVersion, trees);

    /// <summary>Deletes those of older checkpoints, and of one that a crash cut short.</summary>
    public static void DeleteOthers(IStorageFiles files, string directory, long covered)
    {
        foreach (var name in files.List(directory))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && name != NameOf(covered))
            {
                files.Delete(Path.Combine(directory, name));
            }
        }
    }

    private static string NameOf(long covered) => FormattableString.Invariant($"{Prefix}{covered}");
}
