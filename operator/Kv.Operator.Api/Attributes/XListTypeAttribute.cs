namespace Kv.Operator.Api.Attributes;

/// <summary>How server-side apply merges a list: <c>atomic</c>, <c>set</c> or <c>map</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListTypeAttribute(string type) : Attribute
{
    public string Type { get; } = type;
}
