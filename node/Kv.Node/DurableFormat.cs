namespace Kv.Node;

/// <summary>What this program reads and writes on disk, as one number: what <c>GetNode</c> tells, so that nobody goes back to a program that could not read a node's data.</summary>
public static class DurableFormat
{
    /// <summary>
    /// The versions of all durable files and records together, each of which only grows: so whatever is raised, or is new, raises it. A test adds them up. A kind that is given up keeps its last version here.
    /// </summary>
    public const int Version = 29;
}
