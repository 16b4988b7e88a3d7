namespace Kv.Operator.Api.Attributes;

/// <summary>A regular expression that a string must match (RE2's common subset, since the API server and .NET both run it).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string pattern) : Attribute
{
    public string Pattern { get; } = pattern;
}
