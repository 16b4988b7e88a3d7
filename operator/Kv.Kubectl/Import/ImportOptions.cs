using Google.Protobuf;

namespace Kv.Kubectl.Import;

/// <summary>What is imported, and how.</summary>
internal sealed record ImportOptions
{
    public required IReadOnlyList<string> Types { get; init; }

    /// <summary>Null for all of the types.</summary>
    public required IReadOnlyList<ByteString>? Buckets { get; init; }

    /// <summary>How many keys are copied at once, each over a connection of its own to the source.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Whether an object that the target has another value of takes the source's in its place.</summary>
    public required bool Overwrites { get; init; }

    /// <summary>Whether properties of buckets are set as in the source.</summary>
    public required bool CopiesProps { get; init; }

    /// <summary>Whether what an import before has left in the directory is thrown away.</summary>
    public required bool IsAfresh { get; init; }

    public required string StateDirectory { get; init; }
}
