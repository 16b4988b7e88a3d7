using Kv.Core.Stores;

namespace Kv.Storage.Log;

/// <summary>The one wording of what is wrong with a log, with file, offset, expected and found.</summary>
internal static class LogDamage
{
    public static StoreException At(string path, long offset, string expected, string found) => new(
        $"The log is damaged: {path} at offset {offset}: expected {expected}, found {found}. The node refuses to start, because acknowledged writes may be missing; "
        + "bring the volume back as it was, or replace the node and let its replicas fill it.");
}
