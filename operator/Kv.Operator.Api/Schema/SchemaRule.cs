namespace Kv.Operator.Api.Schema;

/// <summary>A rule over a class, as CEL and as the predicate that says the same. <paramref name="IsTransition"/>: it compares with the value before.</summary>
public sealed record SchemaRule(string Rule, string Message, string? FieldPath, bool IsTransition, Func<object, object?, bool> Holds);
