using Kv.Core.Causality;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Each built-in map function, of an object and of none.</summary>
public sealed class MapFunctionTests
{
    private const string Erlang = "riak_kv_mapreduce:";

    public static TheoryData<string, string, string, string> OfValues => new()
    {
        { Erlang + "map_object_value", "null", "hello", "[\"hello\"]" },
        { Erlang + "map_object_value", "\"filter_notfound\"", "hello", "[\"hello\"]" },
        { Erlang + "map_object_value_list", "null", "[1,\"two\",[3]]", "[1,\"two\",[3]]" },
        { Erlang + "map_object_value_list", "null", "[]", "[]" },
        { "Riak.mapValues", "null", "{\"a\":1}", "[\"{\\u0022a\\u0022:1}\"]" },
        { "Riak.mapValuesJson", "null", "{\"a\":[1,2.0]}", "[{\"a\":[1,2.0]}]" },
        { "Riak.mapValuesJson", "null", "7", "[7]" },
    };

    public static TheoryData<string, string, string> OfNothing => new()
    {
        { Erlang + "map_identity", "null", "[not_found [\"b\",\"k\"]]" },
        { Erlang + "map_object_value", "null", "[not_found [\"b\",\"k\"]]" },
        { Erlang + "map_object_value", "\"filter_notfound\"", "[]" },
        { Erlang + "map_object_value", "\"include_notfound\"", "[not_found [\"b\",\"k\"]]" },
        { Erlang + "map_object_value", "\"include_keydata\"", "[\"data\"]" },
        { Erlang + "map_object_value", "{\"sub\":[1,2]}", "[1,2]" },
        { Erlang + "map_object_value_list", "\"filter_notfound\"", "[]" },
        { Erlang + "map_object_value_list", "{\"sub\":[1,2]}", "[1,2]" },
        { "Riak.mapValues", "null", "[not_found [\"b\",\"k\"]]" },
        { "Riak.mapValuesJson", "null", "[not_found [\"b\",\"k\"]]" },
    };

    public static TheoryData<string, string, string?> Failures => new()
    {
        { Erlang + "map_object_value_list", "hello", null },
        { Erlang + "map_object_value_list", "7", null },
        { Erlang + "map_object_value", "", "{\"sub\":1}" },
        { "Riak.mapValuesJson", "hello", null },
        { "Riak.mapValuesJson", "", null },
        { "Riak.mapValuesJson", "1 2", null },
    };

    [Theory]
    [MemberData(nameof(OfValues))]
    public void AnObject_BecomesItsResults(string name, string arg, string value, string results) =>
        Assert.Equal(results, Shown(Apply(name, Terms.Json(arg), Terms.Object(value))));

    [Theory]
    [MemberData(nameof(OfNothing))]
    public void NoObject_IsWhatTheArgumentAsksFor(string name, string arg, string results) => Assert.Equal(results, Shown(Apply(name, Terms.Json(arg), found: null)));

    [Theory]
    [MemberData(nameof(Failures))]
    public void WhatItCannotTake_IsAProblem(string name, string value, string? argOfNothing) =>
        Assert.NotNull(Apply(name, argOfNothing is null ? null : Terms.Json(argOfNothing), argOfNothing is null ? Terms.Object(value) : null).Problem);

    [Fact]
    public void OfSiblings_TheNewestThatLives_IsTheValue()
    {
        Assert.Equal("[\"new\"]", Shown(Apply("Riak.mapValues", null, Terms.Object("old", "new"))));
        var half = KvObject.Create(VersionVector.Empty, [.. Terms.Object("live").Siblings, new Sibling { Dot = null, IsTombstone = true, LastModifiedMicroseconds = 99 }]);
        Assert.Equal("[\"live\"]", Shown(Apply("Riak.mapValues", null, half)));
    }

    [Fact]
    public void Identity_IsTheWholeObject()
    {
        var found = Terms.Object("old", "new");
        var term = Assert.IsType<Term.Found>(Assert.Single(Apply(Erlang + "map_identity", null, found).Terms));
        Assert.Equal((Terms.Key("k"), found), (term.Key, term.Object));
    }

    [Fact]
    public void AValueThatWouldHoldTooMuch_IsAProblem() =>
        Assert.Contains("no room", BuiltIns.FindMap("Riak.mapValuesJson")!.Apply(new MapInput(Terms.Key("k"), null, Terms.Object($"[{string.Join(',', Enumerable.Repeat("[]", 100))}]"), 1000), null).Problem);

    private static PhaseOutput Apply(string name, Term? arg, KvObject? found) => BuiltIns.FindMap(name)!.Apply(new MapInput(Terms.Key("k"), Term.Of("data"), found, 1 << 20), arg);

    private static string Shown(PhaseOutput output) => output.Problem ?? Term.Of(output.Terms).ToString();
}
