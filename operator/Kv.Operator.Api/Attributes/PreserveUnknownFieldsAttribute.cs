namespace Kv.Operator.Api.Attributes;

/// <summary>The schema says nothing of what is inside; what it holds is kept as it is.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PreserveUnknownFieldsAttribute : Attribute;
