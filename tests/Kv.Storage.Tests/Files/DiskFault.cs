namespace Kv.Storage.Tests.Files;

/// <summary>What goes wrong on a disk, and with which operation, counted from when the disk was given it. Safe from any thread.</summary>
internal sealed class DiskFault
{
    private readonly Kind kind;
    private readonly long at;
    private readonly int bytes;
    private long changes;
    private long writes;
    private long looks;
    private volatile DiskFaultException? met;

    private DiskFault(Kind kind, long at, int bytes = 0) => (this.kind, this.at, this.bytes) = (kind, at, bytes);

    private enum Kind
    {
        None,
        Fail,
        FailFrom,
        Short,
        FailLook,
    }

    /// <summary>Operations so far that change the disk.</summary>
    public long Changes => Interlocked.Read(ref changes);

    /// <summary>Writes among them.</summary>
    public long Writes => Interlocked.Read(ref writes);

    /// <summary>Operations so far that do not: a file is opened or read, a directory listed, a name looked for, free space asked.</summary>
    public long Looks => Interlocked.Read(ref looks);

    /// <summary>What was made to fail first; null where nothing was yet.</summary>
    public DiskFaultException? Met => met;

    /// <summary>Nothing goes wrong; it counts.</summary>
    public static DiskFault None() => new(Kind.None, 0);

    /// <summary>One operation that changes the disk fails, and does nothing; those behind it go well.</summary>
    public static DiskFault Fail(long change) => new(Kind.Fail, change);

    /// <summary>The disk is broken from that change on: nothing goes any more, reads neither.</summary>
    public static DiskFault FailFrom(long change) => new(Kind.FailFrom, change);

    /// <summary>One write fails when some of its bytes are in the file.</summary>
    public static DiskFault Short(long write, int bytes) => new(Kind.Short, write, bytes);

    /// <summary>One operation that only looks fails.</summary>
    public static DiskFault FailLook(long look) => new(Kind.FailLook, look);

    /// <exception cref="DiskFaultException">It fails.</exception>
    public void BeforeChange(FileOperation operation)
    {
        var change = Interlocked.Increment(ref changes);
        var write = operation.What == "write" ? Interlocked.Increment(ref writes) : 0;
        if ((kind == Kind.Fail && change == at) || (kind == Kind.FailFrom && change >= at) || (kind == Kind.Short && write == at))
        {
            throw Meet(operation);
        }
    }

    /// <exception cref="DiskFaultException">It fails.</exception>
    public void BeforeLook(string what, string path)
    {
        var look = Interlocked.Increment(ref looks);
        if ((kind == Kind.FailLook && look == at) || (kind == Kind.FailFrom && Changes >= at))
        {
            throw Meet(new FileOperation(look, what, path));
        }
    }

    private DiskFaultException Meet(FileOperation operation)
    {
        var fault = new DiskFaultException(operation, bytes);
        met ??= fault;
        return fault;
    }
}
