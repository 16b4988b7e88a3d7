using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>What was assigned, and when: microseconds since 1970 by the coordinator's clock.</summary>
internal readonly record struct Assignment(long Microseconds, ReadOnlyMemory<byte> Value);

/// <summary>
/// A register of a map. An assignment replaces those that its coordinator had; of concurrent ones the latest by the coordinators' clocks shows, of those of one
/// moment the one with the greater bytes. (Riak goes by clocks alone, so that a node whose clock runs ahead cannot be corrected by another.)
/// </summary>
public sealed class RegisterStore : DotStore
{
    internal static readonly RegisterStore None = new([]);

    internal RegisterStore(ImmutableArray<DottedEntry<Assignment>> assignments) => Assignments = assignments;

    /// <summary>Empty where nothing is assigned.</summary>
    public ReadOnlyMemory<byte> Value
    {
        get
        {
            var latest = default(Assignment);
            foreach (var (_, assignment) in Assignments)
            {
                var order = assignment.Microseconds.CompareTo(latest.Microseconds);
                latest = (order != 0 ? order : assignment.Value.Span.SequenceCompareTo(latest.Value.Span)) > 0 ? assignment : latest;
            }

            return latest.Value;
        }
    }

    public override bool IsEmpty => Assignments.IsEmpty;

    internal ImmutableArray<DottedEntry<Assignment>> Assignments { get; }

    internal static RegisterStore Assign(Dot dot, Assignment assignment) => new([new(dot, assignment)]);

    internal override DotStore Join(DotStore other, VersionVector mine, VersionVector theirs) =>
        new RegisterStore(Dotted.Join(Assignments, ((RegisterStore)other).Assignments, mine, theirs));

    internal override DotStore Without(VersionVector seen) => new RegisterStore(Assignments.Without(seen));
}
