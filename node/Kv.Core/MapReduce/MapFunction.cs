namespace Kv.Core.MapReduce;

/// <summary>A built-in map function under the name by which clients know it; see <see cref="MapFunctions"/>.</summary>
/// <param name="Name">`module:function`, or of JavaScript's `Riak.name`.</param>
/// <param name="Apply">Input and the phase's argument → results. Pure.</param>
public sealed record MapFunction(string Name, Func<MapInput, Term?, PhaseOutput> Apply)
{
    /// <summary>Bytes that what it makes of an input holds at most, beside what the input has already.</summary>
    public Func<MapInput, long> MadeBytes { get; init; } = _ => 0;

    public bool IsJavaScript => Name.StartsWith(BuiltIns.JavaScriptPrefix, StringComparison.Ordinal);
}
