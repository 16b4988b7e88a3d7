namespace Kv.Core.Stores;

/// <summary>Storage failed or is corrupt: a sync that did not succeed, a checksum that does not match, a hole in the log. Never retried in place.</summary>
public class StoreException : Exception
{
    public StoreException(string message)
        : base(message)
    {
    }

    public StoreException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
