namespace Kv.Operator.Api.Attributes;

/// <summary>Bounds of a list's length, or of a map's number of entries.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemsAttribute(int minItems, int maxItems) : Attribute
{
    public int MinItems { get; } = minItems;

    public int MaxItems { get; } = maxItems;
}
