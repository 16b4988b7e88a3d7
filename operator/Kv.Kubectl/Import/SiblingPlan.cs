using Google.Protobuf;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Import;

/// <summary>
/// What becomes of an object, by its values in the source and what the target holds. Values are compared as sets of what the source can give: value, content type, charset, encoding, links, metadata and index entries. So an import
/// that is done again finds nothing to do. One that was cut off between two siblings goes on with those that are missing; where that is not known, the target's application may have decided for those that are there.
/// </summary>
internal abstract record SiblingPlan
{
    private SiblingPlan()
    {
    }

    /// <param name="source">Its values, each once (<see cref="RiakContents.Distinct"/>); never empty.</param>
    /// <param name="target">What is there.</param>
    /// <param name="keepsSiblings">Whether the target's bucket does.</param>
    /// <param name="overwrites">Whether what only the target has gives way.</param>
    /// <param name="isBegun">Whether this import may have written the first of its values, and not all.</param>
    public static SiblingPlan Of(IReadOnlyList<Content> source, GetResponse target, bool keepsSiblings, bool overwrites, bool isBegun)
    {
        if (source.Count > 1 && !keepsSiblings)
        {
            return new Conflict($"it has {source.Count} values, and the target's bucket keeps one (allow_mult)");
        }

        if (target.Object is not { } there)
        {
            return target.TombstoneContext.IsEmpty ? new Write(source, ByteString.Empty, MustBeAbsent: true)
                : overwrites ? new Write(source, target.TombstoneContext, MustBeAbsent: false)
                : new Conflict("it was deleted in the target");
        }

        var held = RiakContents.Distinct(there.Siblings.Where(sibling => !sibling.Tombstone).Select(RiakContents.Comparable));
        var missing = source.Except(held).ToList();
        if (held.Count + missing.Count > source.Count || there.Siblings.Any(sibling => sibling.Tombstone))
        {
            return overwrites ? new Write(source, there.Context, MustBeAbsent: false) : new Conflict("the target has another value");
        }

        if (missing.Count > 0 && !(isBegun && missing.SequenceEqual(source.Skip(held.Count))))
        {
            return overwrites ? new Write(source, there.Context, MustBeAbsent: false) : new Conflict($"the target has {held.Count} of its {source.Count} values: the others may have been resolved there");
        }

        return missing.Count > 0 ? new Write(missing, ByteString.Empty, MustBeAbsent: false)

            // A put whose answer was lost, and which was done twice, is its own sibling.
            : there.Siblings.Count > held.Count ? new Write(source, there.Context, MustBeAbsent: false)
            : new Nothing();
    }

    /// <summary>The target holds all of it.</summary>
    public sealed record Nothing : SiblingPlan;

    /// <summary>What is there stays as it is.</summary>
    public sealed record Conflict(string Reason) : SiblingPlan;

    /// <summary>Put one after the other: the first by the context, in place of what that saw, and the others beside it.</summary>
    public sealed record Write(IReadOnlyList<Content> Contents, ByteString Context, bool MustBeAbsent) : SiblingPlan;
}
