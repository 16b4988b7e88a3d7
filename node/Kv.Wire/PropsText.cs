using System.Buffers;
using System.Text;
using System.Text.Json;
using Kv.Core.Buckets;

namespace Kv.Wire;

/// <summary>Bucket properties as the JSON text that the gRPC interfaces carry: an object with Riak's names and values.</summary>
public static class PropsText
{
    public static string Of(BucketProps props)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            BucketPropsJson.Write(json, props);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
