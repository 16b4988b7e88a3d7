using System.Buffers;
using System.Text.Json;

namespace Kv.Core.Membership;

/// <summary>
/// The frame that this folder's formats share: a version byte, then one JSON object in UTF-8, written with its names in a fixed order and without
/// white space, so that equal values have equal bytes. A checksum is for whoever stores them.
/// </summary>
internal static class VersionedJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16 };

    public static byte[] Write(byte version, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        buffer.Write([version]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="DocumentFormatException">Empty, of a version that is not 1 to <paramref name="newest"/>, or not what <paramref name="read"/> expects.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> bytes, byte newest, string what, Func<JsonElement, T> read)
    {
        if (bytes.IsEmpty)
        {
            throw new DocumentFormatException($"{what}: empty");
        }

        if (bytes.Span[0] == 0 || bytes.Span[0] > newest)
        {
            throw new DocumentFormatException($"{what}: format version {bytes.Span[0]} is not known; this program reads versions up to {newest}");
        }

        try
        {
            using var json = JsonDocument.Parse(bytes[1..], Strict);
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            // What JsonElement's getters throw for a value that is missing, of another kind or out of range.
            throw new DocumentFormatException($"{what}: {e.Message}", e);
        }
    }
}
