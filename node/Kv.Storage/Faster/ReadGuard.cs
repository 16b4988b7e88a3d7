using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// What becomes of a session that had no memory for a value in the midst of its reads: those that are on their way to the disk would bring their results into those of
/// later ones, by position. It cannot be used any more, and neither can its store.
/// </summary>
internal static class ReadGuard
{
    public static async ValueTask CompleteAsync(ValueTask pending)
    {
        try
        {
            await pending;
        }
        catch (OutOfMemoryException exception)
        {
            throw OutOfStep(exception);
        }
    }

    public static StoreException OutOfStep(OutOfMemoryException exception) =>
        new("There is no memory for a value that was read, and what else was being read cannot be told apart.", exception);
}
