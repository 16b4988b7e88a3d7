using System.Collections.Frozen;

namespace Kv.Core.MapReduce;

/// <summary>The functions that phases may name: there is no code of clients here, so these are all.</summary>
public static class BuiltIns
{
    public const string JavaScriptPrefix = "Riak.";

    /// <summary>Before the name of a function for Erlang.</summary>
    public const string Module = "riak_kv_mapreduce";

    private static readonly FrozenDictionary<string, MapFunction> Maps = MapFunctions.All.ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, ReduceFunction> Reduces =
        ReduceFunctions.All.Concat(JavaScriptReduces.All).ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    public static MapFunction? FindMap(string name) => Maps.GetValueOrDefault(name);

    public static ReduceFunction? FindReduce(string name) => Reduces.GetValueOrDefault(name);

    /// <summary>The names that a map phase may have, or a reduce phase, for an error to show.</summary>
    public static string NamesOf(bool isMap, bool isJavaScript) => string.Join(
        ", ", (isMap ? Maps.Keys : Reduces.Keys).Where(name => name.StartsWith(JavaScriptPrefix, StringComparison.Ordinal) == isJavaScript).Order(StringComparer.Ordinal));
}
