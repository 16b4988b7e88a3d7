using System.Text.Json;
using Kv.Core.MapReduce;
using Kv.Fuzz.Running;
using Kv.Wire.Riak;
using Kv.Wire.Riak.Http;

namespace Kv.Fuzz.Targets;

/// <summary>MapReduce jobs, their key filters, and values of objects that jobs read as JSON.</summary>
internal sealed class MapReduceTarget : FuzzTarget
{
    private const long MostTermBytes = 1024 * 1024;

    private static readonly byte[][] Keys = [.. Samples.Texts("", "a-key-of-some-length", "20260101", "\u00e9")];

    public override string Name => "map-reduce";

    /// <summary>Key filters have patterns, which are compiled.</summary>
    public override long FixedBytes => 32 * MostTermBytes;

    public override long BytesPerByte => 4096;

    public override IReadOnlyList<string> Words =>
    [
        "\"inputs\":", "\"query\":[", "\"timeout\":", "\"bucket\":", "\"key_filters\":[[", "\"index\":\"age_int\"", "\"start\":", "\"end\":", "\"key\":", "{\"map\":{", "{\"reduce\":{", "{\"link\":{", "\"language\":\"erlang\"",
        "\"language\":\"javascript\"", "\"module\":\"riak_kv_mapreduce\"", "\"function\":\"", "\"name\":\"Riak.", "\"arg\":", "\"keep\":true", "\"tag\":\"_\"", "[\"tokenize\",\"-\",1]", "[\"int_to_string\"]", "[\"string_to_int\"]", "[\"float_to_string\"]",
        "[\"string_to_float\"]", "[\"to_upper\"]", "[\"urldecode\"]", "[\"and\",[[", "[\"or\",[[", "[\"not\",[[", "[\"matches\",\"a+\"]", "[\"similar_to\",\"a\",3]", "[\"between\",1,9,true]", "[\"set_member\",", "\\ud800", "1e400", "-0.0",
    ];

    public override IEnumerable<byte[]> Seeds => Samples.Texts(
        """{"inputs":"b","query":[{"map":{"language":"erlang","module":"riak_kv_mapreduce","function":"map_object_value","keep":true}}]}""",
        """{"inputs":[["b","k"],["b","k",{"d":1}],["b","k",null,"t"]],"query":[{"link":{"bucket":"_","tag":"friend"}},{"reduce":{"language":"javascript","name":"Riak.reduceSum","arg":{"reduce_phase_only_1":true}}}],"timeout":5000}""",
        """{"inputs":{"bucket":["t","b"],"key_filters":[["tokenize","-",1],["string_to_int"],["between",1,20,false]]},"query":[]}""",
        """{"inputs":{"bucket":"b","key_filters":[["and",[["matches","^a"]],[["or",[["ends_with","a"]],[["not",[["similar_to","abc",2]]]]]]]]},"query":[]}""",
        """{"inputs":{"bucket":"b","index":"name_bin","start":"a","end":"m"},"query":[{"reduce":{"language":"erlang","module":"riak_kv_mapreduce","function":"reduce_sort"}}]}""",
        """[1,-2.5,1e300,"é\u0001\ud83d\ude00",null,true,{"a":{"b":[[],{}]}},123456789012345678901234567890]""");

    public override void Take(byte[] input)
    {
        if (TermJson.TryRead([.. "["u8, .. input, .. "]"u8], MostTermBytes, out var term, out _))
        {
            _ = TermText.Of(term);
            var written = Written((Term.List)term);
            FuzzFailure.Unless(TermJson.TryRead(written, long.MaxValue, out _, out var problem), $"what was written is no JSON: {problem}");
        }

        if (!MapReduceJobReader.TryRead(input, MostTermBytes, out var job, out var wrong))
        {
            FuzzFailure.Unless(wrong is not null, "it is neither read nor refused");
        }
        else if (job.Inputs is MapReduceInputs.Listing { Filter: { } filter })
        {
            Array.ForEach(Keys, key => filter.Passes(key));
        }
    }

    private static byte[] Written(Term.List terms)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, PlainJson.Writer))
        {
            MapReduceJson.WriteList(json, terms.Items, phase: 0);
        }

        return stream.ToArray();
    }
}
