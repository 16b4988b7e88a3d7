using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kv.Wire.Riak.Http;

/// <summary>JSON as Riak writes it: nothing escaped but what must be.</summary>
internal static class PlainJson
{
    public static JsonSerializerOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonWriterOptions Writer { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
