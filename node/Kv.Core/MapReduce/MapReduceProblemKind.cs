namespace Kv.Core.MapReduce;

/// <summary>Where a job's fault lies, as Riak tells it apart.</summary>
public enum MapReduceProblemKind
{
    /// <summary>The bytes are no JSON.</summary>
    NotJson,

    /// <summary>They are JSON, and no object.</summary>
    NotAnObject,

    /// <summary>It has no inputs, or no query.</summary>
    MissingField,

    Inputs,
    Query,
}
