using System.Collections;
using System.Globalization;
using System.Reflection;
using Kv.Core.Membership;

namespace Kv.Wire.Tests.Peer;

/// <summary>Everything a message says, as text, by reflection: a field that a codec forgets shows.</summary>
internal static class Description
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        ClusterDocument document => "document " + Convert.ToHexString(ClusterDocumentCodec.Encode(document)),
        ReadOnlyMemory<byte> bytes => "0x" + Convert.ToHexString(bytes.Span),
        string text => $"'{text}'",
        IEnumerable many => "[" + string.Join(", ", many.Cast<object?>().Select(Of)) + "]",
        _ when value.GetType().IsPrimitive || value is Guid or TimeSpan or Enum => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        _ => OfProperties(value),
    };

    private static string OfProperties(object value)
    {
        var properties = value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetIndexParameters().Length == 0);
        return value.GetType().Name + " {" + string.Join("; ", properties.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => p.Name + " " + Of(p.GetValue(value)))) + "}";
    }
}
