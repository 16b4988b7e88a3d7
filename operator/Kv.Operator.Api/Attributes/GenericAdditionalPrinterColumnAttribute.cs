namespace Kv.Operator.Api.Attributes;

/// <summary>A column of <c>kubectl get</c>. Priority 0 is always shown, 1 with <c>-o wide</c>. Columns appear in the order in which they are declared.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class GenericAdditionalPrinterColumnAttribute(string jsonPath, string name, string type) : Attribute
{
    public string JsonPath { get; } = jsonPath;

    public string Name { get; } = name;

    public string Type { get; } = type;

    public int Priority { get; init; }

    public string? Description { get; init; }
}
