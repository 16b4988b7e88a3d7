using Kv.Operator.Api.Entities;

namespace Kv.Operator;

/// <summary>Builds the conditions of a status anew in each pass; of those before, only the time of a change that did not happen is kept.</summary>
internal sealed class ConditionList(IReadOnlyList<Condition>? before, long? generation, DateTimeOffset now)
{
    private const int MaxMessage = 1024;
    private readonly List<Condition> conditions = [];

    public List<Condition> Conditions => conditions;

    /// <summary>Null stands for Unknown.</summary>
    public void Set(string type, bool? holds, string reason, string message)
    {
        var status = holds switch { true => "True", false => "False", null => "Unknown" };
        var old = before?.FirstOrDefault(condition => condition.Type == type);
        conditions.Add(new Condition
        {
            Type = type,
            Status = status,
            Reason = reason,
            // None rather than an empty one: some API servers turn an empty string in a patch into null, and refuse it.
            Message = message.Length == 0 ? null : message.Length <= MaxMessage ? message : message[..(MaxMessage - 1)] + "…",
            LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now,
            ObservedGeneration = generation,
        });
    }
}
