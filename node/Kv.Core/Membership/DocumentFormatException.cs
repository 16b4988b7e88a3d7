namespace Kv.Core.Membership;

/// <summary>Bytes that are not a cluster document (or a change of one, or an acceptor's state) of a version that this program reads. The message says what is wrong.</summary>
public sealed class DocumentFormatException : Exception
{
    public DocumentFormatException()
    {
    }

    public DocumentFormatException(string message)
        : base(message)
    {
    }

    public DocumentFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
