using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>Terms and names as errors show them: much like JSON, and cut short, since a client is told again what it sent or stored.</summary>
public static class TermText
{
    /// <summary>Characters of a term that an error shows.</summary>
    private const int Longest = 200;

    public static string Of(Term term)
    {
        var text = new StringBuilder();
        Write(text, term);
        return Shown(text.ToString());
    }

    /// <summary>A name that a client gave, cut short.</summary>
    public static string Shown(string name) => name.Length <= Longest ? name : name[..(char.IsHighSurrogate(name[Longest - 1]) ? Longest - 1 : Longest)] + "…";

    private static void Write(StringBuilder text, Term term)
    {
        if (text.Length > Longest)
        {
            return;
        }

        switch (term)
        {
            case Term.Atom atom:
                text.Append(atom.Name);
                break;
            case Term.Integer integer:
                text.Append(CultureInfo.InvariantCulture, $"{integer.Value}");
                break;
            case Term.Real real:
                text.Append(NumberText.Of(real.Value));
                break;
            case Term.Binary binary:
                Write(text, binary.Bytes.Span);
                break;
            case Term.List list:
                WriteAll(text, '[', list.Items, ']', (to, item) => Write(to, item));
                break;
            case Term.Struct members:
                WriteAll(text, '{', members.Members, '}', (to, member) => Write(to, member.Key, member.Value));
                break;
            case Term.Pair pair:
                Write(text, pair.Name, pair.Value);
                break;
            case Term.Address address:
                Write(text, address.Key);
                break;
            case Term.Missing missing:
                Write(text.Append("not_found "), missing.Key);
                break;
            case Term.Found found:
                Write(text.Append("the object "), found.Key);
                break;
        }
    }

    private static void WriteAll<T>(StringBuilder text, char first, IReadOnlyList<T> items, char last, Action<StringBuilder, T> write)
    {
        text.Append(first);
        for (var at = 0; at < items.Count && text.Length <= Longest; at++)
        {
            text.Append(at > 0 ? "," : "");
            write(text, items[at]);
        }

        text.Append(last);
    }

    private static void Write(StringBuilder text, string name, Term value)
    {
        text.Append('"').Append(JsonEncodedText.Encode(Shown(name))).Append("\":");
        Write(text, value);
    }

    private static void Write(StringBuilder text, ObjectKey key)
    {
        text.Append('[');
        Write(text, key.Bucket.Span);
        text.Append(',');
        Write(text, key.Key.Span);
        text.Append(key.BucketType == ObjectKey.DefaultType ? "" : $",null,\"{Shown(key.BucketType)}\"").Append(']');
    }

    private static void Write(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        var shown = bytes[..Math.Min(bytes.Length, Longest)];
        if (!Utf8.IsValid(bytes))
        {
            text.Append("<<").AppendJoin(',', shown.ToArray()).Append(">>");
            return;
        }

        // A cut in the middle of a letter becomes a replacement character.
        text.Append('"').Append(JsonEncodedText.Encode(Encoding.UTF8.GetString(shown))).Append('"');
    }
}
