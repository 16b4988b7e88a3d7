namespace Kv.Operator.Api.Attributes;

/// <summary>Bounds of the length, in characters, of each string in a list or map.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemLengthAttribute(int minLength, int maxLength) : Attribute
{
    public int MinLength { get; } = minLength;

    public int MaxLength { get; } = maxLength;
}
