using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kv.Operator.Api;

/// <summary>How our kinds are read and written: camelCase, nothing for null, times in UTC to the second.</summary>
public static class KvJson
{
    public static JsonSerializerOptions Options { get; } = Make(writeIndented: false);

    /// <summary>For people: quotes and signs stay as they are typed.</summary>
    public static JsonSerializerOptions Relaxed { get; } = Make(writeIndented: false, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    private static JsonSerializerOptions Make(bool writeIndented, JavaScriptEncoder? encoder = null)
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            WriteIndented = writeIndented,
            Encoder = encoder,
        };
        options.Converters.Add(new JsonStringEnumConverter());
        options.Converters.Add(new SecondsConverter());
        return options;
    }

    private sealed class SecondsConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
    }
}
