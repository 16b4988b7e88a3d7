using System.Text;
using System.Text.Unicode;

namespace Kv.Wire.Riak.Http;

/// <summary>A bucket or key in JSON: its text, or percent-encoded where its bytes are not UTF-8 and JSON could not hold them.</summary>
internal static class ListedName
{
    public static string Of(ReadOnlySpan<byte> name) => Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : PercentEncoding.Encode(name);
}
