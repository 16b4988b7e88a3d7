namespace Kv.Operator.Api.Attributes;

/// <summary>The values allowed: strings or whole numbers.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EnumValuesAttribute(params object[] values) : Attribute
{
    public IReadOnlyList<object> Values { get; } = values;
}
