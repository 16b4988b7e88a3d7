namespace Kv.Operator.Api.Entities;

/// <summary>A status that makes statements: what changed between two of them is what people are told.</summary>
public interface IConditionedStatus
{
    List<Condition>? Conditions { get; }
}
