namespace Kv.Core.MapReduce;

/// <summary>A built-in reduce function under the name by which clients know it; see <see cref="ReduceFunctions"/>.</summary>
/// <param name="Name">`module:function`, or of JavaScript's `Riak.name`.</param>
/// <param name="Apply">Inputs, among them what it made of earlier ones, and the phase's argument → results. Pure.</param>
/// <param name="IsAssociative">Whether it makes the same of all its inputs, in whatever batches it is given them.</param>
public sealed record ReduceFunction(string Name, Func<IReadOnlyList<Term>, Term?, PhaseOutput> Apply, bool IsAssociative = true)
{
    public bool IsJavaScript => Name.StartsWith(BuiltIns.JavaScriptPrefix, StringComparison.Ordinal);
}
