namespace Kv.Operator.Api.Attributes;

/// <summary>
/// A rule over the fields of a class, twice: <see cref="Rule"/> as CEL for the API server, and as the static method named
/// <see cref="Predicate"/> of the same class for places that have no CEL (manifests read by local mode, API servers before 1.25). The method takes
/// the value, or for a transition rule the value and the one before it, and says whether the rule holds.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(string rule, string predicate, string message) : Attribute
{
    public string Rule { get; } = rule;

    public string Predicate { get; } = predicate;

    public string Message { get; } = message;

    /// <summary>The field to blame, relative to the class, as in <c>.ringSize</c>.</summary>
    public string? FieldPath { get; init; }
}
