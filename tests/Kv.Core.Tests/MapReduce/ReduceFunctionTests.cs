using CsCheck;
using Kv.Core.MapReduce;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Each built-in reduce function, and what batches make of it.</summary>
public sealed class ReduceFunctionTests
{
    private const string Erlang = "riak_kv_mapreduce:";

    private static readonly Gen<Term> Integers = Gen.Int[-100, 100].Select(number => (Term)Term.Of(number));
    private static readonly Gen<Term> Names = Gen.Int[0, 30].Select(number => (Term)Terms.Address($"k{number}"));
    private static readonly Gen<Term> Mixed = Gen.OneOf(
        Integers, Gen.Int[-9, 9].Select(number => (Term)new Term.Real(number)), Names, Gen.String[Gen.Char['a', 'f'], 0, 3].Select(text => Term.Of(text)), Integers.Array[0, 2].Select(items => Term.Of(items)));

    public static TheoryData<string, string?, string, string> Examples => new()
    {
        { Erlang + "reduce_identity", null, "[[\"b\",\"k\"],[\"b\",\"k\",\"data\"],[\"b\",\"k\",null,\"t\"]]", "[[\"b\",\"k\"],[\"b\",\"k\"],[\"b\",\"k\",null,\"t\"]]" },
        { Erlang + "reduce_set_union", null, "[3,1,\"a\",3,1.0,\"a\",[1],[1]]", "[3,1,\"a\",1.0,[1]]" },
        { Erlang + "reduce_sort", null, "[\"b\",[2],\"a\",[1,5],{\"x\":1},true,2,1.5,-3]", "[-3,1.5,2,true,{\"x\":1},[1,5],[2],\"a\",\"b\"]" },
        { Erlang + "reduce_string_to_integer", null, "[\"1\",\"-20\",\"+3\",4]", "[1,-20,3,4]" },
        { Erlang + "reduce_sum", null, "[1,2,3]", "[6]" },
        { Erlang + "reduce_sum", null, "[1,0.5]", "[1.5]" },
        { Erlang + "reduce_sum", null, "[]", "[0]" },
        { Erlang + "reduce_sum", null, "[9007199254740993,1]", "[9007199254740994]" },
        { Erlang + "reduce_plist_sum", null, "[{\"a\":1,\"b\":2},[{\"a\":3},[{\"c\":0.5}]]]", "[\"a\":4,\"b\":2,\"c\":0.5]" },
        { Erlang + "reduce_plist_sum", null, "[]", "[]" },
        { Erlang + "reduce_count_inputs", null, "[\"a\",[\"b\",\"k\"],null]", "[3]" },
        { Erlang + "reduce_count_inputs", null, "[\"a\",7]", "[8]" },
        { Erlang + "reduce_count_inputs", null, "[]", "[0]" },
        { "Riak.filterNotFound", null, "[1,{\"not_found\":{}},null,{\"a\":1}]", "[1,null,{\"a\":1}]" },
        { "Riak.reduceSum", null, "[1,2,{\"not_found\":{}}]", "[3]" },
        { "Riak.reduceSum", null, "[]", "[0]" },
        { "Riak.reduceMin", null, "[3,1.5,2]", "[1.5]" },
        { "Riak.reduceMin", null, "[\"b\",\"a\"]", "[\"a\"]" },
        { "Riak.reduceMin", null, "[]", "[]" },
        { "Riak.reduceMax", null, "[3,1.5,2]", "[3]" },
        { "Riak.reduceMax", null, "[\"b\",\"a\"]", "[\"b\"]" },
        { "Riak.reduceSort", null, "[10,9,1,\"5\"]", "[1,10,\"5\",9]" },
        { "Riak.reduceNumericSort", null, "[10,9,1.5]", "[1.5,9,10]" },
        { "Riak.reduceLimit", "3", "[1,2,3,4]", "[1,2]" },
        { "Riak.reduceSlice", "[1,3]", "[1,2,3,4]", "[2,3]" },
        { "Riak.reduceSlice", "[1,9]", "[1,2,3,4]", "[1,2,3,4]" },
    };

    public static TheoryData<string, string?, string, string> Failures => new()
    {
        { Erlang + "reduce_identity", null, "[5]", "unhandled_entry: reduce_identity takes names of objects, and 5 is none" },
        { Erlang + "reduce_sum", null, "[1,\"2\"]", "badarith: reduce_sum adds numbers, and \"2\" cannot be added" },
        { Erlang + "reduce_sum", null, "[1e308,1e308]", "badarith: reduce_sum adds numbers, and 1E+308 cannot be added" },
        { Erlang + "reduce_plist_sum", null, "[{\"a\":\"x\"}]", "badarith: reduce_plist_sum adds properties that are numbers, and {\"a\":\"x\"} has others or none" },
        { Erlang + "reduce_plist_sum", null, "[5]", "badarith: reduce_plist_sum adds properties that are numbers, and 5 has others or none" },
        { Erlang + "reduce_string_to_integer", null, "[\"x\"]", "badarg: reduce_string_to_integer takes integers of up to 1000 digits, and \"x\" is none" },
        { Erlang + "reduce_string_to_integer", null, "[1.5]", "badarg: reduce_string_to_integer takes integers of up to 1000 digits, and 1.5 is none" },
        { "Riak.reduceSum", null, "[1,\"2\"]", "Riak.reduceSum adds numbers, and \"2\" cannot be added" },
        { "Riak.reduceMin", null, "[1,\"2\"]", "Riak.reduceMin compares numbers with numbers and strings with strings; there are others, or both, among its inputs" },
        { "Riak.reduceSort", null, "[1.5]", "Riak.reduceSort sorts strings and integers, and 1.5 is neither" },
        { "Riak.reduceSort", "\"f\"", "[1]", "Riak.reduceSort takes no function here: there is no JavaScript to run \"f\" with" },
        { "Riak.reduceNumericSort", null, "[\"1\"]", "Riak.reduceNumericSort sorts numbers; there are others among its inputs" },
        { "Riak.reduceLimit", null, "[1]", "Riak.reduceLimit takes an integer from 1 to 10000 as its argument, and not undefined" },
        { "Riak.reduceLimit", "10001", "[1]", "Riak.reduceLimit takes an integer from 1 to 10000 as its argument, and not 10001" },
        { "Riak.reduceSlice", "[1]", "[1]", "Riak.reduceSlice takes two integers from 0 to 10000 as its argument, and not [1]" },
        { "Riak.reduceSlice", "[0,10001]", "[1]", "Riak.reduceSlice takes two integers from 0 to 10000 as its argument, and not [0,10001]" },
    };

    [Theory]
    [MemberData(nameof(Examples))]
    public void Inputs_BecomeResults(string name, string? arg, string inputs, string results) => Assert.Equal((name, results), (name, Shown(Apply(name, arg, Terms.List(inputs)))));

    [Theory]
    [MemberData(nameof(Failures))]
    public void WhatItCannotTake_IsAProblem(string name, string? arg, string inputs, string problem) => Assert.Equal(problem, Apply(name, arg, Terms.List(inputs)).Problem);

    [Theory]
    [InlineData("reduce_sum")]
    [InlineData("reduce_string_to_integer")]
    public void WhatIsNotThere_IsLeftOut(string name) => Assert.Equal("[5]", Shown(Apply(Erlang + name, null, [new Term.Missing(Terms.Key("k"), null), Term.Of(5)])));

    [Fact]
    public void Identity_TakesInputs_AndIsWhatTheNextPhaseTakes()
    {
        var named = Assert.Single(Apply(Erlang + "reduce_identity", null, [Terms.Address("k", "data")]).Terms);
        Assert.Equal(Terms.Key("k"), Addresses.Of(named)!.Key);
    }

    [Theory]
    [InlineData("reduce_sum")]
    [InlineData("reduce_sort")]
    [InlineData("reduce_set_union")]
    [InlineData("reduce_string_to_integer")]
    public void InBatches_IsAsAtOnce(string name) => Gen.Select(Integers.Array[0, 100], Gen.Int[1, 40]).Sample((inputs, batch) => InBatches(Erlang + name, inputs, batch), iter: 1000);

    [Theory]
    [InlineData("reduce_sort")]
    [InlineData("reduce_set_union")]
    public void InBatches_OfAnything_IsAsAtOnce(string name) => Gen.Select(Mixed.Array[0, 100], Gen.Int[1, 40]).Sample((inputs, batch) => InBatches(Erlang + name, inputs, batch), iter: 1000);

    [Theory]
    [InlineData("reduce_count_inputs")]
    [InlineData("reduce_identity")]
    public void InBatches_OfNames_IsAsAtOnce(string name) => Gen.Select(Names.Array[0, 100], Gen.Int[1, 40]).Sample((inputs, batch) => InBatches(Erlang + name, inputs, batch), iter: 1000);

    [Theory]
    [InlineData("reduceSum")]
    [InlineData("reduceMin")]
    [InlineData("reduceMax")]
    [InlineData("reduceSort")]
    [InlineData("reduceNumericSort")]
    [InlineData("filterNotFound")]
    public void OfJavaScript_InBatches_IsAsAtOnce(string name) => Gen.Select(Integers.Array[0, 100], Gen.Int[1, 40]).Sample((inputs, batch) => InBatches("Riak." + name, inputs, batch), iter: 1000);

    [Fact]
    public void PropertiesInBatches_AreAsAtOnce() => Gen.Select(Gen.Select(Gen.Char['a', 'e'], Gen.Int[-5, 5], (name, number) => Terms.Json($"{{\"{name}\":{number}}}")).Array[0, 100], Gen.Int[1, 40])
        .Sample((inputs, batch) => InBatches(Erlang + "reduce_plist_sum", inputs, batch), iter: 1000);

    [Fact]
    public void WithNoInputs_TheFunctionIsAskedOnce() => Assert.Equal("[0]", Shown(Batches("riak_kv_mapreduce:reduce_sum", 20).Finish()));

    /// <summary>Batches of 3, of which 2 are left each time: as JavaScript's would be.</summary>
    [Fact]
    public void AFunctionThatMinds_IsGivenItsBatchesAsTheyAre()
    {
        var batches = Batches("Riak.reduceLimit", 3, Term.Of(3));
        foreach (var number in Enumerable.Range(1, 7))
        {
            Assert.Null(batches.Add(Term.Of(number)));
        }

        Assert.Equal("[1,2]", Shown(batches.Finish()));
    }

    [Fact]
    public void WhatIsHeld_IsWhatIsLeftOfThem()
    {
        var batches = Batches("riak_kv_mapreduce:reduce_count_inputs", 20);
        var most = 0L;
        for (var number = 0; number < 1000; number++)
        {
            batches.Add(Terms.Address($"k{number}"));
            most = Math.Max(most, batches.HeldBytes);
        }

        Assert.InRange(most, 1, 21 * Terms.Address("k999").HeldBytes);
    }

    private static void InBatches(string name, IReadOnlyList<Term> inputs, int batch)
    {
        var batches = Batches(name, batch);
        foreach (var input in inputs)
        {
            Assert.Null(batches.Add(input));
        }

        Assert.Equal(Apply(name, null, inputs).Terms, batches.Finish().Terms);
    }

    private static ReduceBatches Batches(string name, int batch, Term? arg = null) => new(new MapReducePhase.Reduce(BuiltIns.FindReduce(name)!, arg, batch, Keep: true));

    private static PhaseOutput Apply(string name, string? arg, IReadOnlyList<Term> inputs) => BuiltIns.FindReduce(name)!.Apply(inputs, arg is null ? null : Terms.Json(arg));

    private static string Shown(PhaseOutput output) => output.Problem ?? Term.Of(output.Terms).ToString();
}
