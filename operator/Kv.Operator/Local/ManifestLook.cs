using System.Collections.Immutable;

namespace Kv.Operator.Local;

/// <summary>The names and texts in a directory of manifests at one moment, or why it could not be read. Two looks are equal if nothing differs.</summary>
internal sealed record ManifestLook(ImmutableArray<(string Name, string Text)> Files, string? Problem)
{
    public bool Equals(ManifestLook? other) => other is not null && Problem == other.Problem && Files.AsSpan().SequenceEqual(other.Files.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Problem, Files.Length);
}
