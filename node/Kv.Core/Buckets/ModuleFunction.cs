namespace Kv.Core.Buckets;

/// <summary>A function as Riak's properties name one: {"mod": …, "fun": …}.</summary>
public sealed record ModuleFunction(string Module, string Function);
