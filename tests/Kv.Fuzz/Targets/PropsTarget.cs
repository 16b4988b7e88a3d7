using System.Text.Json;
using Kv.Core.Buckets;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>Properties of buckets and types as JSON, judged by each of the rules, and as the cluster keeps them.</summary>
internal sealed class PropsTarget : FuzzTarget
{
    public override string Name => "props";

    public override long BytesPerByte => 2048;

    public override IReadOnlyList<string> Words =>
    [
        "\"n_val\":", "\"allow_mult\":", "\"last_write_wins\":", "\"dvv_enabled\":", "\"datatype\":\"", "\"consistent\":", "\"write_once\":", "\"hll_precision\":", "\"r\":\"quorum\"", "\"pw\":", "\"dw\":", "\"rw\":", "\"node_confirms\":",
        "\"basic_quorum\":", "\"notfound_ok\":", "\"old_vclock\":", "\"big_vclock\":", "\"chash_keyfun\":{\"mod\":\"riak_core_util\",\"fun\":\"chash_std_keyfun\"}", "\"linkfun\":{", "\"precommit\":[]", "\"postcommit\":[",
        "\"backend\":\"ordered\"", "\"repl\":", "\"search_index\":", "\"ttl\":", "\"delete_mode\":", "\"sync_on_write\":", "\"durability\":", "\"name\":", "\\ud800", "1e400",
    ];

    public override IEnumerable<byte[]> Seeds => Samples.Texts(
        "{}",
        """{"n_val":3,"allow_mult":"true","last_write_wins":false,"r":"quorum","w":2,"pr":0,"pw":"all","dw":"one","rw":"default","basic_quorum":0,"notfound_ok":1}""",
        """{"datatype":"map","backend":"ordered","aae":true,"old_vclock":86400,"young_vclock":"20","big_vclock":50,"small_vclock":50}""",
        """{"datatype":"hll","hll_precision":16,"delete_mode":3000,"durability":"interval"}""",
        """{"chash_keyfun":{"mod":"riak_core_util","fun":"chash_std_keyfun"},"linkfun":{"mod":"m","fun":"f"},"precommit":[],"postcommit":[],"repl":"realtime","sync_on_write":"all","ttl":60,"name":"b"}""");

    public override void Take(byte[] input)
    {
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(input);
        }
        catch (JsonException)
        {
            return;
        }

        using (json)
        {
            Judge(json.RootElement);
        }
    }

    private static void Judge(JsonElement json)
    {
        if (BucketPropsJson.TryRead(json, out var read, out _))
        {
            Check(read);
        }

        foreach (var result in new[]
                 {
                     BucketPropsRules.CreateType(json),
                     BucketPropsRules.UpdateType(BucketProps.NewType, json),
                     BucketPropsRules.SetBucketInType(BucketProps.NewType, json),
                     BucketPropsRules.SetUntypedBucket(BucketProps.DefaultType, json),
                 })
        {
            if (result.Props is { } valid)
            {
                Check(valid);
            }
        }
    }

    private static void Check(BucketProps props)
    {
        var written = Written(props);
        using var json = JsonDocument.Parse(written);
        FuzzFailure.Unless(BucketPropsJson.TryRead(json.RootElement, out var again, out var reason), $"what was kept cannot be read: {reason}");
        FuzzFailure.UnlessSame(written, Written(again), "properties");
    }

    private static byte[] Written(BucketProps props)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            BucketPropsJson.Write(json, props);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
