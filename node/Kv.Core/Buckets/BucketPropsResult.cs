using System.Collections.Immutable;

namespace Kv.Core.Buckets;

/// <summary>Valid properties, or everything that is wrong with what was asked: one of the two.</summary>
public sealed record BucketPropsResult
{
    private BucketPropsResult(BucketProps? props, ImmutableArray<BucketPropsProblem> problems)
    {
        Props = props;
        Problems = problems;
    }

    /// <summary>Null where there are problems.</summary>
    public BucketProps? Props { get; }

    public ImmutableArray<BucketPropsProblem> Problems { get; }

    internal static BucketPropsResult Valid(BucketProps props) => new(props, []);

    internal static BucketPropsResult Invalid(ImmutableArray<BucketPropsProblem> problems) => new(null, problems);
}
