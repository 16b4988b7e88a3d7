namespace Kv.Operator.Api.Attributes;

/// <summary>The largest number allowed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMaximumAttribute(long maximum) : Attribute
{
    public long Maximum { get; } = maximum;
}
