namespace Kv.Core.MapReduce;

/// <summary>A built-in map function under the name by which clients know it; see <see cref="MapFunctions"/>.</summary>
/// <param name="Name">`module:function`, or of JavaScript's `Riak.name`.</param>
/// <param name="Apply">Input and the phase's argument → results. Pure.</param>
public sealed record MapFunction(string Name, Func<MapInput, Term?, PhaseOutput> Apply)
{
    public bool IsJavaScript => Name.StartsWith(BuiltIns.JavaScriptPrefix, StringComparison.Ordinal);
}
