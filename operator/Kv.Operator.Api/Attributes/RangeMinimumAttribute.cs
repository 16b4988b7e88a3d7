namespace Kv.Operator.Api.Attributes;

/// <summary>The smallest number allowed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMinimumAttribute(long minimum) : Attribute
{
    public long Minimum { get; } = minimum;
}
