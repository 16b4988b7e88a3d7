namespace Kv.Fuzz.Running;

/// <summary>
/// A decoder of bytes from outside, as something to throw inputs at. What it refuses, it refuses in the way that it declares: <see cref="Take"/> passes over that and
/// lets any other exception out, which is a failure, as is a <see cref="FuzzFailure"/> of its own.
/// </summary>
internal abstract class FuzzTarget : IDisposable
{
    private const long Kibi = 1024;

    /// <summary>As it is given on the command line, and begins the names of kept inputs.</summary>
    public abstract string Name { get; }

    /// <summary>Inputs to begin with, most of them valid.</summary>
    public abstract IEnumerable<byte[]> Seeds { get; }

    /// <summary>What an input may have in it that a mutator finds hardly ever by itself.</summary>
    public virtual IReadOnlyList<string> Words => [];

    /// <summary>Bytes that an input of none may make it allocate.</summary>
    public virtual long FixedBytes => 256 * Kibi;

    /// <summary>Bytes more for each byte of the input.</summary>
    public virtual long BytesPerByte => 256;

    /// <summary>Of the longest input that is made.</summary>
    public virtual int MostBytes => 4096;

    /// <summary>Whether other threads than the one that calls work on an input: their allocations count too.</summary>
    public virtual bool HasThreads => false;

    public abstract void Take(byte[] input);

    public virtual void Dispose()
    {
    }
}
