using System.Text;
using CsCheck;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Jobs as clients write them, and what is said of those that make no sense.</summary>
public sealed class MapReduceJobReaderTests
{
    private const string Value = """{"map":{"language":"erlang","module":"riak_kv_mapreduce","function":"map_object_value"}}""";

    public static TheoryData<string, MapReduceProblemKind, string> Refusals => new()
    {
        { "nonsense", MapReduceProblemKind.NotJson, "invalid" },
        { "", MapReduceProblemKind.NotJson, "" },
        { "[1]", MapReduceProblemKind.NotAnObject, "" },
        { "{}", MapReduceProblemKind.MissingField, "inputs" },
        { """{"inputs":"b"}""", MapReduceProblemKind.MissingField, "query" },
        { """{"query":[]}""", MapReduceProblemKind.MissingField, "inputs" },
        { Job("5"), MapReduceProblemKind.Inputs, "Unrecognized format of \"inputs\" field: 5" },
        { Job("[]"), MapReduceProblemKind.Inputs, "No inputs were given." },
        { Job("[[\"b\"]]"), MapReduceProblemKind.Inputs, "Unrecognized format of \"inputs\" field: [[\"b\"]]" },
        { Job("""[["b","k",null,5]]"""), MapReduceProblemKind.Inputs, "Unrecognized format" },
        { Job("""{"bucket":"b"}"""), MapReduceProblemKind.Inputs, "Unrecognized format" },
        { Job("""{"bucket":5,"key_filters":[["eq","a"]]}"""), MapReduceProblemKind.Inputs, "Unrecognized format" },
        { Job("""{"bucket":"b","key_filters":[["nosuch"]]}"""), MapReduceProblemKind.Inputs, "bad_filter: there is no key filter `nosuch`" },
        { Job("""{"bucket":"b","key_filters":[]}"""), MapReduceProblemKind.Inputs, "key filters are a list" },
        { Job("""{"bucket":"b","index":"age","key":"1"}"""), MapReduceProblemKind.Inputs, "Unknown field type for field: 'age'." },
        { Job("""{"bucket":"b","index":"age_int","key":"x"}"""), MapReduceProblemKind.Inputs, "Could not parse field 'age_int', value 'x'." },
        { Job("""{"bucket":"b","index":"age_int","start":"1"}"""), MapReduceProblemKind.Inputs, "Unrecognized format" },
        { Job("""{"module":"mymod","function":"myfun","arg":[1]}"""), MapReduceProblemKind.Inputs, "mymod:myfun" },
        { Job("""{"bucket":"b","query":"foo OR bar"}"""), MapReduceProblemKind.Inputs, "search is not served" },
        { Job("\"b\"", "{}"), MapReduceProblemKind.Query, "The value of the \"query\" field was not a list: {}" },
        { Job("\"b\"", "[5]"), MapReduceProblemKind.Query, "Unrecognized format of query phase 0: 5" },
        { Job("\"b\"", """[{"filter":{}}]"""), MapReduceProblemKind.Query, "Unrecognized format of query phase 0: {\"filter\":{}}" },
        { Job("\"b\"", """[{"map":{"language":"erlang","module":"riak_kv_mapreduce","function":"map_object_value","keep":1}}]"""), MapReduceProblemKind.Query, "The \"keep\" field was not a boolean value" },
        { Job("\"b\"", """[{"map":{}}]"""), MapReduceProblemKind.Query, "No \"language\" was specified for the map phase" },
        { Job("\"b\"", """[{"map":{"language":"cobol"}}]"""), MapReduceProblemKind.Query, "Unknown language \"cobol\" in map phase" },
        { Job("\"b\"", """[{"map":{"language":"erlang"}}]"""), MapReduceProblemKind.Query, "No function specified in map phase" },
        { Job("\"b\"", """[{"map":{"language":"erlang","module":"mymod","function":"myfun"}}]"""), MapReduceProblemKind.Query, "there is no map function mymod:myfun here; there are riak_kv_mapreduce:map_identity, riak_kv_mapreduce:map_object_value, riak_kv_mapreduce:map_object_value_list" },
        { Job("\"b\"", """[{"map":{"language":"erlang","module":"riak_kv_mapreduce","function":"reduce_sum"}}]"""), MapReduceProblemKind.Query, "there is no map function riak_kv_mapreduce:reduce_sum here" },
        { Job("\"b\"", """[{"reduce":{"language":"erlang","module":"riak_kv_mapreduce","function":"nosuch"}}]"""), MapReduceProblemKind.Query, "there is no reduce function riak_kv_mapreduce:nosuch here" },
        { Job("\"b\"", """[{"map":{"language":"erlang","source":"fun(O,_,_) -> [O] end."}}]"""), MapReduceProblemKind.Query, "functions given by their source are not run here" },
        { Job("\"b\"", """[{"map":{"language":"javascript","source":"function(v) { return [v]; }"}}]"""), MapReduceProblemKind.Query, "functions given by their source are not run here" },
        { Job("\"b\"", """[{"map":{"language":"javascript","bucket":"code","key":"f"}}]"""), MapReduceProblemKind.Query, "functions given by their source are not run here" },
        { Job("\"b\"", """[{"map":{"language":"javascript","name":"Riak.mapByFields"}}]"""), MapReduceProblemKind.Query, "there is no map function Riak.mapByFields here; there are Riak.mapValues, Riak.mapValuesJson" },
        { Job("\"b\"", """[{"map":{"language":"javascript","name":"riak_kv_mapreduce:map_identity"}}]"""), MapReduceProblemKind.Query, "there is no map function riak_kv_mapreduce:map_identity here; there are Riak.mapValues" },
        { Job("\"b\"", """[{"link":{"bucket":5}}]"""), MapReduceProblemKind.Query, "Invalid link step specification: {\"bucket\":5}" },
        { Job("\"b\"", """[{"reduce":{"language":"erlang","module":"riak_kv_mapreduce","function":"reduce_sum","arg":{"reduce_phase_batch_size":0}}}]"""), MapReduceProblemKind.Query, "reduce_phase_batch_size is a positive integer, and not 0" },
        { Job("\"b\"", $"[{string.Join(',', Enumerable.Repeat(Value, 65))}]"), MapReduceProblemKind.Query, "there are 65 phases; 64 are the most" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void WhatMakesNoSense_IsNamed(string json, MapReduceProblemKind kind, string text)
    {
        Assert.False(MapReduceJobReader.TryRead(Encoding.UTF8.GetBytes(json), 1 << 20, out _, out var problem));
        Assert.Equal(kind, problem.Kind);
        Assert.Contains(text, problem.Text);
    }

    [Fact]
    public void Inputs_AreReadInEachForm()
    {
        Assert.Equal(new BucketName("default", "b"), Assert.IsType<MapReduceInputs.Listing>(Read(Job("\"b\"")).Inputs).Bucket);
        Assert.Equal(new BucketName("t", "b"), Assert.IsType<MapReduceInputs.Listing>(Read(Job("""["t","b"]""")).Inputs).Bucket);
        var keys = Assert.IsType<MapReduceInputs.Keys>(Read(Job("""[["b","k"],["b","k",{"d":1}],["b","k",null,"t"]]""")).Inputs);
        Assert.Equal([new Term.Address(Terms.Key("k"), null), new Term.Address(Terms.Key("k"), Terms.Json("{\"d\":1}")), new Term.Address(new ObjectKey("t", "b", "k"), null)], keys.Addresses);
        var filtered = Assert.IsType<MapReduceInputs.Listing>(Read(Job("""{"bucket":["t","b"],"key_filters":[["eq","a"]]}""")).Inputs);
        Assert.Equal((new BucketName("t", "b"), true), (filtered.Bucket, filtered.Filter!.Passes("a"u8.ToArray())));
        var equal = Assert.IsType<MapReduceInputs.Index>(Read(Job("""{"bucket":["t","b"],"index":"Age_int","key":7}""")).Inputs).Query;
        Assert.Equal(("age_int", "7", false), (equal.Field, Encoding.UTF8.GetString(equal.Start.Span), equal.IsRange));
        var range = Assert.IsType<MapReduceInputs.Index>(Read(Job("""{"bucket":"b","index":"name_bin","start":"a","end":"m"}""")).Inputs).Query;
        Assert.Equal(("a", "m"), (Encoding.UTF8.GetString(range.Start.Span), Encoding.UTF8.GetString(range.End!.Value.Span)));
    }

    [Fact]
    public void OfThePhases_TheLastIsKept_UnlessTheySayOtherwise()
    {
        var job = Read(Job("\"b\"", """[{"link":{"bucket":"_","tag":"friend"}},""" + Value + """,{"reduce":{"language":"javascript","name":"Riak.reduceSum","arg":{"reduce_phase_only_1":true}}}]"""));
        Assert.Equal([false, false, true], job.Phases.Select(phase => phase.Keep));
        Assert.Equal(new MapReducePhase.Link(null, "friend", Keep: false), job.Phases[0]);
        Assert.Equal(int.MaxValue, Assert.IsType<MapReducePhase.Reduce>(job.Phases[2]).BatchSize);
        Assert.Equal((1, true), (job.Kept, job.UsesJavaScript));
        Assert.Equal(0, Read(Job("\"b\"", """[{"link":{"keep":false}}]""")).Kept);
        Assert.Empty(Read(Job("\"b\"", "[]")).Phases);
    }

    [Theory]
    [InlineData("", 60_000)]
    [InlineData(",\"timeout\":5000", 5000)]
    [InlineData(",\"timeout\":0", 60_000)]
    [InlineData(",\"timeout\":-1", 60_000)]
    [InlineData(",\"timeout\":\"x\"", 60_000)]
    [InlineData(",\"timeout\":1e300", 86_400_000)]
    public void Timeout_IsInMilliseconds(string timeout, int milliseconds) =>
        Assert.Equal(milliseconds, Read($$"""{"inputs":"b","query":[]{{timeout}}}""").Timeout.TotalMilliseconds);

    [Fact]
    public void AnyJob_IsReadOrRefused()
    {
        var pieces = Gen.OneOf(
            "\"inputs\":", "\"query\":", "\"b\"", "[", "]", "{", "}", ",", "\"map\":", "\"reduce\":", "\"link\":", "\"language\":\"erlang\"", "\"module\":\"riak_kv_mapreduce\"",
            "\"function\":\"map_identity\"", "\"bucket\":\"b\"", "\"key_filters\":", "[\"not\",[[\"eq\",1]]]", "\"index\":\"a_int\"", "\"key\":", "5", "null");
        Gen.OneOf(pieces.Array[0, 12].Select(all => string.Concat(all)), pieces.Array[0, 4].Select(all => Job(string.Concat(all), "[]")), pieces.Array[0, 6].Select(all => Job("\"b\"", $"[{string.Concat(all)}]")))
            .Sample(json => MapReduceJobReader.TryRead(Encoding.UTF8.GetBytes(json), 1 << 20, out var job, out var problem) ? job is not null : problem is not null, iter: 20_000);
    }

    private static string Job(string inputs, string query = "[]") => $$"""{"inputs":{{inputs}},"query":{{query}}}""";

    private static MapReduceJob Read(string json)
    {
        Assert.True(MapReduceJobReader.TryRead(Encoding.UTF8.GetBytes(json), 1 << 20, out var job, out var problem), problem?.Text);
        return job;
    }
}
