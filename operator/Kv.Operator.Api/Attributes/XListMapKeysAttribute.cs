namespace Kv.Operator.Api.Attributes;

/// <summary>The fields that tell the items of a list of type map apart.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListMapKeysAttribute(params string[] keys) : Attribute
{
    public IReadOnlyList<string> Keys { get; } = keys;
}
